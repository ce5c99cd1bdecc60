import type { Fault } from "@mirrorpool/core";
import { isMarkedStale } from "./stale.ts";

type Kind = Fault["kind"];

/**
 * SQLSTATE to kind of fault, each with its reason (PostgreSQL documentation, appendix A; what was measured is marked).
 * Everything else that the server answers with is an ordinary error of the statement.
 */
const sqlStates: Readonly<Record<string, Kind>> = {
  // connection exceptions: whatever was under way is of unknown outcome
  "08000": "gone",
  "08001": "gone",
  "08003": "gone",
  "08004": "gone",
  "08006": "gone",
  "08P01": "gone",
  // admin and crash shutdown, dropped database, idle session timeout; with synchronous replication a row whose statement
  // was answered with 57P01 was there (measured): the same as a lost connection
  "57P01": "gone",
  "57P02": "gone",
  "57P04": "gone",
  "57P05": "gone",
  // idle in transaction for too long: the server has closed the connection and rolled back
  "25P03": "gone",
  // the server itself does not know
  "08007": "outcome-unknown",
  "40003": "outcome-unknown",
  // starting up, shutting down, or in recovery without hot standby: refused at login
  "57P03": "not-ready",
  // a standby, or default_transaction_read_only
  "25006": "read-only",
  // too many connections of the server, the role or the database
  "53300": "overloaded",
  // serialization failure, deadlock: rolled back by the server; on a standby 40001 is a conflict with the replay
  "40001": "rolled-back",
  "40P01": "rolled-back",
  // password, role, database, pg_hba.conf
  "28000": "configuration",
  "28P01": "configuration",
  "3D000": "configuration",
};

/** What an operator has to mend, in words. */
const meanings: Readonly<Record<string, string>> = {
  "28000": "the role may not log in from here, see pg_hba.conf",
  "28P01": "wrong user or password",
  "3D000": "there is no such database",
};

/** Error codes of Node's sockets and name look-up. */
const systemCodes: Readonly<Record<string, Kind>> = {
  // a process that listens would have answered: it is gone
  ECONNREFUSED: "refused",
  // a socket file that is not there
  ENOENT: "refused",
  ENOTFOUND: "unreachable",
  EAI_AGAIN: "unreachable",
  EHOSTUNREACH: "unreachable",
  EHOSTDOWN: "unreachable",
  ENETUNREACH: "unreachable",
  ENETDOWN: "unreachable",
  EADDRNOTAVAIL: "unreachable",
  ETIMEDOUT: "silent",
  ECONNRESET: "gone",
  ECONNABORTED: "gone",
  EPIPE: "gone",
  ERR_STREAM_DESTROYED: "gone",
  ERR_STREAM_WRITE_AFTER_END: "gone",
  // our own process has too many files open: the node is not to blame
  EMFILE: "overloaded",
  ENFILE: "overloaded",
  // certificates
  CERT_HAS_EXPIRED: "configuration",
  CERT_NOT_YET_VALID: "configuration",
  DEPTH_ZERO_SELF_SIGNED_CERT: "configuration",
  SELF_SIGNED_CERT_IN_CHAIN: "configuration",
  UNABLE_TO_GET_ISSUER_CERT: "configuration",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "configuration",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "configuration",
};

/** Families of Node's TLS errors. */
const TLS_PREFIXES = ["ERR_TLS", "ERR_SSL", "ERR_OSSL"];

/** The connection was lost under a statement, or is closed. Made by our connections, since `pg` gives that no code. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
  readonly code: string | undefined;
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = codeOf(cause);
  }
}

/** The login ended for a reason without a code: a server without TLS, an authentication method that nobody speaks. */
export class LoginFailed extends Error {
  override readonly name = "LoginFailed";
}

/** The one place where errors of `pg`, PostgreSQL and Node become faults: by class and code, never by message text. */
export function classify(error: unknown): Fault {
  if (error instanceof ConnectionLost) return { kind: "gone", code: error.code };
  if (error instanceof LoginFailed) {
    const meaning = "no password was given, or the server speaks no TLS, or asks for a login that pg does not know";
    return { kind: "configuration", code: undefined, meaning };
  }
  // several addresses of one name: any that was refused is evidence, else the first counts
  if (error instanceof AggregateError && error.errors.length > 0) {
    const faults = error.errors.map(classify);
    return faults.find((fault) => fault.kind === "refused") ?? (faults[0] as Fault);
  }
  const code = codeOf(error);
  if (code === undefined) return { kind: "statement", code };
  if (isMarkedStale(error)) return { kind: "stale", code };
  const kind =
    sqlStates[code] ??
    systemCodes[code] ??
    (TLS_PREFIXES.some((each) => code.startsWith(each)) ? "configuration" : "statement");
  const meaning = meanings[code];
  return meaning === undefined ? { kind, code } : { kind, code, meaning };
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
