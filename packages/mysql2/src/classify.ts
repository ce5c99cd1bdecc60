import type { Fault } from "@mirrorpool/core";
import { isOfLocalFile } from "./local-file.ts";

type Kind = Fault["kind"];

/**
 * Error number to kind of fault, each with its reason (MySQL and MariaDB error references; what was measured is marked).
 * Everything else that the server answers with is an ordinary error of the statement.
 */
const numbers: Readonly<Record<number, Kind>> = {
  // the server runs with an option that forbids the statement: `read_only` most of the time, and refused before any effect in
  // any case; the core asks the node whether it takes writes, so that no text has to be looked at
  1290: "read-only",
  // in a read-only transaction, which sessions on mirrors are
  1792: "read-only",
  // read-only mode of the server, and of InnoDB
  1836: "read-only",
  1874: "read-only",
  // deadlock, also with another node of a Galera cluster; XA deadlock
  1213: "rolled-back",
  1614: "rolled-back",
  // too many connections of the server, or of the user
  1040: "overloaded",
  1203: "overloaded",
  1226: "overloaded",
  // a Galera node that is not in the primary component; a server in offline mode: refused before any effect
  1047: "not-ready",
  3032: "not-ready",
  // a member of a Group Replication while the primary is changed, which ends the sessions that last too long for that
  4094: "not-ready",
  // shutdown; the connection is killed, timed out or broken: whatever was under way is of unknown outcome
  1053: "gone",
  1077: "gone",
  1079: "gone",
  1152: "gone",
  1158: "gone",
  1159: "gone",
  1160: "gone",
  1161: "gone",
  1184: "gone",
  1927: "gone",
  3169: "gone",
  4031: "gone",
  // an error in the middle of a COMMIT: the server itself does not say what became of it; so a Galera node that loses its quorum
  1180: "outcome-unknown",
  // a member of a Group Replication that leaves its group during a COMMIT: it has rolled back, and does not know what the others
  // have done with a transaction that was sent to them. With one primary the others hardly ever refuse one that it has taken
  3100: "outcome-unknown",
  3101: "outcome-unknown",
  // blocked or not allowed host, user, password, database, login plug-in
  1129: "configuration",
  1130: "configuration",
  1044: "configuration",
  1045: "configuration",
  1049: "configuration",
  1251: "configuration",
  1524: "configuration",
  1698: "configuration",
  3159: "configuration",
};

/** What an operator has to mend, in words. */
const meanings: Readonly<Record<number, string>> = {
  1044: "the user may not use this database",
  1045: "wrong user or password",
  1049: "there is no such database",
  1129: "the server has blocked this host after too many broken logins",
  1130: "this host may not log in",
  1251: "the server asks for a login that mysql2 does not know",
  1524: "the server does not have the login plug-in of this user",
  1698: "this user may not log in by password",
  3159: "the server takes only connections with TLS",
};

/** Prepared statements that the server wants to have prepared once more; refused before any effect. */
export const STALE_NUMBERS: ReadonlySet<number> = new Set([1243, 1615]);

/** Error codes of Node's sockets and name look-up, and of `mysql2` itself. */
const codes: Readonly<Record<string, Kind>> = {
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
  PROTOCOL_CONNECTION_LOST: "gone",
  // mysql2's own timeout leaves the connection out of step: it is destroyed
  PROTOCOL_SEQUENCE_TIMEOUT: "gone",
  PROTOCOL_UNEXPECTED_PACKET: "gone",
  PROTOCOL_ERROR: "gone",
  HANDSHAKE_NO_SSL_SUPPORT: "configuration",
  HANDSHAKE_SSL_ERROR: "configuration",
  HANDSHAKE_SECURE_TRANSPORT_REQUIRED: "configuration",
  AUTH_SWITCH_PLUGIN_ERROR: "configuration",
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

/** The connection was lost under a statement, or is closed. Made by our connections: `mysql2` gives that several shapes. */
export class ConnectionLost extends Error {
  override readonly name = "ConnectionLost";
  readonly code: string | undefined;
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = codeOf(cause);
  }
}

/** The login ended for a reason without a code: a login plug-in that `mysql2` does not have, or that needs TLS. */
export class LoginFailed extends Error {
  override readonly name = "LoginFailed";
}

/** The server answers, and its group would not confirm a write to it: it has left that, or has lost its quorum. */
export class OutOfGroup extends Error {
  override readonly name = "OutOfGroup";
}

/** The user may not see what a member of a group is; it may seem to take writes when it has left that. */
export class GroupHidden extends Error {
  override readonly name = "GroupHidden";
}

/** The one place where errors of `mysql2`, the server and Node become faults: by class and code, never by message text. */
export function classify(error: unknown): Fault {
  if (isOfLocalFile(error)) return { kind: "statement", code: codeOf(error) };
  if (error instanceof ConnectionLost) return { kind: "gone", code: error.code };
  if (error instanceof LoginFailed) {
    return { kind: "configuration", code: undefined, meaning: "the server asks for a login that mysql2 cannot answer" };
  }
  if (error instanceof OutOfGroup)
    return { kind: "not-ready", code: undefined, meaning: "not in a group with a quorum" };
  if (error instanceof GroupHidden) {
    const meaning = "the user may not see the state of the group: GRANT SELECT ON performance_schema.* TO it";
    return { kind: "configuration", code: undefined, meaning };
  }
  // several addresses of one name: any that was refused is evidence, else the first counts
  if (error instanceof AggregateError && error.errors.length > 0) {
    const faults = error.errors.map(classify);
    return faults.find((fault) => fault.kind === "refused") ?? (faults[0] as Fault);
  }
  const number = serverNumberOf(error);
  if (number !== undefined) {
    const fault = { kind: numbers[number] ?? "statement", code: String(number) };
    const meaning = meanings[number];
    return meaning === undefined ? fault : { ...fault, meaning };
  }
  const code = codeOf(error);
  if (code === undefined) return { kind: "statement", code };
  const isTls = TLS_PREFIXES.some((each) => code.startsWith(each));
  return { kind: codes[code] ?? (isTls ? "configuration" : "statement"), code };
}

/** The number of an error that the server has answered with; Node's errors have a negative one or none. */
export function serverNumberOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("errno" in error) || !("sqlState" in error)) return undefined;
  return typeof error.errno === "number" && error.errno > 0 ? error.errno : undefined;
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
