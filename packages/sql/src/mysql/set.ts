import type { Command } from "../commands.ts";
import { type Piece, partOf, textOf } from "../piece.ts";
import { readerOfQuery } from "../read.ts";
import { isWord, type Token } from "../token.ts";
import { type Assignment, assignmentsOf } from "./assignments.ts";
import { queryRules } from "./read.ts";
import type { Modes } from "./sql-mode.ts";

/** What a `SET` does to transaction and session. */
export function setCommand(piece: Piece, modes: Modes): Partial<Command> {
  // on accounts; a variable of this name would be assigned with a sign
  if (isWord(piece.tokens[1], "password", "default")) return { transactional: false, implicitCommit: true };
  const assignments = assignmentsOf(piece.tokens);
  if (assignments === undefined) return { transaction: "mixed", session: "pinned", transactional: false };
  const ofSession = assignments.filter(({ scope }) => scope !== "global");
  if (ofSession.length === 0) return { transactional: false };
  const isAll = ofSession.length === assignments.length;
  const isCarriable = isAll && ofSession.every((each) => isCarried(piece, modes, each));
  // a transaction is committed when autocommit is switched on, and only if it was off
  const isSwitch = ofSession.some(({ name }) => name === "autocommit");
  return {
    session: isCarriable ? "setting" : "pinned",
    transactional: isAll && !isSwitch,
    transaction: isSwitch ? "mixed" : "none",
  };
}

/** Whether the same assignment means the same on another connection. */
export function isCarried(piece: Piece, modes: Modes, { scope, name, value, end }: Assignment): boolean {
  const written = partOf(piece, value, end);
  if (scope === "unclear") return false;
  if (scope === "user") return isLiteral(written.tokens);
  if (name === "autocommit") return /^(?:1|on|true)$/i.test(textOf(written));
  if (BOUND.has(name) || (scope === "session" && name === "transaction_read_only")) return false;
  return isConstant(written, modes);
}

/** Whether an assignment makes its value from those of other settings. */
export function isRelative(tokens: readonly Token[], { value, end }: Assignment): boolean {
  return tokens.slice(value, end).some(({ kind }) => kind === "@@");
}

/** Of one connection, of one statement, or what makes COMMIT mean something else. */
const BOUND: ReadonlySet<string> = new Set([
  "completion_type",
  "gtid_next",
  "gtid_seq_no",
  "insert_id",
  "last_insert_id",
  "pseudo_replica_mode",
  "pseudo_slave_mode",
  "pseudo_thread_id",
  "rand_seed1",
  "rand_seed2",
  "timestamp",
]);

function isLiteral(tokens: readonly Token[]): boolean {
  const [first, second] = tokens;
  const value = first?.kind === "operator" && second?.kind === "number" ? second : first;
  if (value === undefined || tokens.length > (value === first ? 1 : 2)) return false;
  return ["string", "number", "parameter"].includes(value.kind) || isWord(value, "null", "true", "false");
}

/** An expression of literals, settings and functions that are known to have no effects. */
function isConstant(written: Piece, modes: Modes): boolean {
  const { tokens } = written;
  if (tokens.length === 0 || tokens.some((token) => token.kind === "variable" || isWord(token, "from"))) return false;
  return readerOfQuery(tokens, queryRules(written, modes)) !== undefined;
}
