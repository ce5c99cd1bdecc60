import type { Fault, StatementFacts } from "../driver.ts";

/** What was going on when a statement failed. */
export interface Circumstances {
  readonly facts: StatementFacts;
  /** The statement may be a write: by its text, or because a mirror has refused it before. */
  readonly intent: "read" | "write";
  /** False when certainly no byte of the statement left. */
  readonly wasSent: boolean;
  /** A transaction was open before the statement. */
  readonly inTransaction: boolean;
  /** The BEGIN of its transaction went with it: whatever became of the two, without a COMMIT it has no effect. */
  readonly isFirst: boolean;
  /** A statement of the open transaction may have written. */
  readonly hasWritten: boolean;
  /** The session has state that cannot move to another connection. */
  readonly isPinned: boolean;
  /** The connection led to a mirror. */
  readonly onMirror: boolean;
  /** Whether the node, asked after the failure, still takes writes; only looked at for a refusal as read-only. */
  readonly takesWrites: boolean;
  /** How often this statement was sent and lost with its connection before. */
  readonly losses: number;
  /** How often it was refused before by a node that would have taken it a moment later, or on another connection. */
  readonly refusals: number;
  /** How often more the statement, or its transaction, may be run again after a conflict with others. */
  readonly conflictsLeft: number;
  /** The open transaction can be run again: its statements are recorded, or would be. */
  readonly isRecorded: boolean;
  /** Its rows pass through a channel, and the server has begun to answer: it cannot be run again. */
  readonly isOpen: boolean;
}

/**
 * What to do about it:
 *
 * - `surface`: hand the error on as it is; the connection is as good as before
 * - `rerun`: run the statement again wherever it may go now
 * - `misrouted`: run it on the primary, and remember it as a write
 * - `begun-read-only`: the primary takes writes, and refused this one because it did not when the transaction began; or the
 *   application itself began it so. Replay the transaction, once; where it cannot be replayed hand the error on
 * - `stale`: the statement would be taken on a fresh connection, but its transaction has failed: replay that; where it cannot be
 *   replayed hand the error on
 * - `conflict`: the server has undone it: run it again from its start, the whole transaction where one is open
 * - `gone-with-rollback`: a ROLLBACK lost its connection: the transaction is undone, which is what was asked for
 * - the others: tell the application which promise cannot be kept
 */
export type Decision =
  | "surface"
  | "rerun"
  | "misrouted"
  | "begun-read-only"
  | "stale"
  | "conflict"
  | "gone-with-rollback"
  | "commit-unknown"
  | "transaction-lost"
  | "session-lost"
  | "read-lost"
  | "stream-lost";

/** A read that loses its connection this often may be what kills the servers; it is not sent to one more. */
export const MAX_LOSSES = 3;
/** A statement that is refused this often has its own reason to be. */
export const MAX_REFUSALS = 3;

const REST_MS = 100;
const MAX_REST_MS = 500;

/**
 * The rest, in ms, of a statement that has lost its connection, and had lost so many before: who ends the sessions of a server one
 * after the other would meet it on each of them, and is through by then. Once is a failover, and costs no time. Pure.
 */
export function restAfter(losses: number): number {
  return losses === 0 ? 0 : Math.min(MAX_REST_MS, REST_MS * 4 ** (losses - 1));
}

/** The promise table as a function: everything that needs no ledger and no replay. Pure. */
export function decide(fault: Fault, circumstances: Circumstances): Decision {
  switch (fault.kind) {
    case "statement":
    case "configuration":
      return "surface";
    case "stale":
      return circumstances.inTransaction && circumstances.refusals < MAX_REFUSALS ? "stale" : "surface";
    case "rolled-back":
      // on a mirror it is a conflict with the replay: the read is as good elsewhere
      if (circumstances.onMirror) return isFree(circumstances) ? "rerun" : "surface";
      return mayRepeat(circumstances) ? "conflict" : "surface";
    case "read-only":
      return refusedAsWrite(circumstances);
    case "not-ready":
    case "overloaded":
    case "refused":
    case "unreachable":
      return neverSent(circumstances);
    case "gone":
    case "silent":
    case "outcome-unknown":
      return circumstances.wasSent ? lost(circumstances) : neverSent(circumstances);
    default:
      return fault.kind satisfies never;
  }
}

/** Nothing ties the statement to its connection. */
const isFree = ({ inTransaction, isPinned, isOpen }: Circumstances): boolean => !inTransaction && !isPinned && !isOpen;

/** What the server has undone whole, and what we know whole. */
function mayRepeat({ conflictsLeft, inTransaction, isFirst, isRecorded, isOpen, facts }: Circumstances): boolean {
  if (conflictsLeft <= 0 || isOpen) return false;
  if (isFirst) return true;
  if (inTransaction) return isRecorded;
  return facts.transactional && facts.transaction === "none" && facts.session !== "pinned" && !facts.stream;
}

function refusedAsWrite(circumstances: Circumstances): Decision {
  if (circumstances.isFirst) return refusedAsFirst(circumstances);
  if (circumstances.onMirror) return isFree(circumstances) ? "misrouted" : "surface";
  // a node that takes writes may have been switched back just now; else the application itself asked for read-only
  if (circumstances.takesWrites) return refusedBefore(circumstances);
  if (circumstances.inTransaction) return "transaction-lost";
  if (circumstances.isPinned || circumstances.isOpen) return "surface";
  // as a read it would go to the same node again at once; as a write it waits for one that takes it
  return circumstances.intent === "read" ? "misrouted" : "rerun";
}

/** Where the node takes writes, the transaction may have been begun as one that only reads: once more will tell. */
function refusedAsFirst({ takesWrites, isRecorded, refusals }: Circumstances): Decision {
  return !takesWrites || (isRecorded && refusals === 0) ? "rerun" : "surface";
}

function refusedBefore({ inTransaction, isPinned, isOpen, refusals }: Circumstances): Decision {
  if (isPinned || isOpen) return "surface";
  if (inTransaction) return refusals === 0 ? "begun-read-only" : "surface";
  return refusals < MAX_REFUSALS ? "rerun" : "surface";
}

function neverSent(circumstances: Circumstances): Decision {
  if (circumstances.inTransaction) return endsByRollback(circumstances) ? "gone-with-rollback" : "transaction-lost";
  return circumstances.isPinned ? "session-lost" : "rerun";
}

function lost(circumstances: Circumstances): Decision {
  if (circumstances.inTransaction) return lostInTransaction(circumstances);
  if (circumstances.isFirst) return circumstances.losses < MAX_LOSSES ? "rerun" : "transaction-lost";
  const hadEffect = circumstances.intent === "write" && circumstances.facts.transaction !== "begin";
  if (hadEffect) return "commit-unknown";
  if (circumstances.isOpen) return "stream-lost";
  if (circumstances.isPinned) return "session-lost";
  return circumstances.losses < MAX_LOSSES ? "rerun" : "read-lost";
}

function lostInTransaction(circumstances: Circumstances): Decision {
  if (endsByRollback(circumstances)) return "gone-with-rollback";
  const { facts, hasWritten } = circumstances;
  // it has committed what was before, and was no part of the transaction itself
  if (facts.implicitCommit === true && (hasWritten || facts.transaction !== "begin")) return "commit-unknown";
  // one string with several statements may hold the COMMIT as well
  const mayCommit = ["commit", "prepare", "chain", "mixed"].includes(facts.transaction);
  return mayCommit && hasWritten ? "commit-unknown" : "transaction-lost";
}

const endsByRollback = ({ facts }: Circumstances): boolean => facts.transaction === "rollback";
