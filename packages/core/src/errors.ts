import type { NodeReport } from "./topology/report.ts";

/**
 * Every error that the library makes. An error of the database itself (a unique violation, a syntax error) is not wrapped:
 * it reaches the application as the database library made it.
 */
export const errorCodes = {
  OPTIONS_INVALID: "an option is unknown, of the wrong type or out of its bounds",
  POOL_CLOSED: "the pool is closed or closing",
  ABORTED:
    "the caller's AbortSignal fired, or a pause was resumed before it had begun; nothing of unknown fate was left behind",
  DEADLINE: "no answer within the caller's deadline; a read, or a statement that was never sent",
  ACQUIRE_TIMEOUT: "all connections of the node were in use for too long",
  QUEUE_FULL: "too many callers wait already",
  NO_PRIMARY: "no node that takes writes was found within the deadline",
  NO_NODE: "no node that can answer this read was found within the deadline",
  SPLIT_BRAIN: "two nodes claim to be primary and none is provably newer",
  COMMIT_UNKNOWN: "a write or a COMMIT was sent and its answer was lost: it may or may not have happened",
  TRANSACTION_LOST: "the transaction certainly did not commit, because its node was lost before COMMIT was sent",
  REPLAY_MISMATCH:
    "the transaction was run again on the present primary and a statement answered otherwise than before",
  LEDGER_MISSING: "the commit ledger's table is not there, or may not be written",
  TRANSACTION_ABORTED: "COMMIT was answered with a rollback, because a statement before it had failed",
  NOT_MIRRORED: "the write is committed on the primary, and in time no mirror was seen to have it",
  READ_LOST: "a read lost its connection on every attempt",
  STREAM_LOST: "a stream or cursor had begun to answer when its connection was lost; it is never restarted",
  RESERVED_LOST: "a reserved connection could not be opened, was lost or was cut off",
  SESSION_LOST: "state that cannot move to another connection was lost with its node",
  SESSION_REQUIRED: "the statement needs a session: use transaction() or connect()",
  SESSION_RELEASED: "the session was given back already",
  SWITCHOVER_FAILED: "the planned hand-over did not take place, and work goes on where it was",
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface ErrorDetails {
  readonly node?: string | undefined;
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** Base of all errors of the library. `retryable` means: what failed certainly had no effect, and may be tried again whole. */
export class MirrorpoolError extends Error {
  override readonly name: string = "MirrorpoolError";
  readonly code: ErrorCode;
  readonly node: string | undefined;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.node = details.node;
    this.retryable = details.retryable ?? false;
  }
}

/** Bad options. The message has path, rule and value: `nodes[1].port: expected 1 to 65535, got "abc"`. */
export class OptionsError extends MirrorpoolError {
  override readonly name = "OptionsError";
  constructor(path: string, rule: string, value: string) {
    super("OPTIONS_INVALID", `${path}: expected ${rule}, got ${value}`);
  }
}

/** A write or a COMMIT was sent and its answer was lost. Look before you write again. */
export class CommitUnknownError extends MirrorpoolError {
  override readonly name = "CommitUnknownError";
  constructor(command: string, node: string, cause: unknown) {
    super(
      "COMMIT_UNKNOWN",
      `${command} was sent to ${node} and its answer was lost: it may or may not have happened. Check before you run it again`,
      { node, cause },
    );
  }
}

/** The transaction certainly did not commit; run it again from its start. */
export class TransactionLostError extends MirrorpoolError {
  override readonly name = "TransactionLostError";
  /** @param obstacle why it could not be run again here */
  constructor(node: string, cause: unknown, obstacle?: string) {
    const why = obstacle === undefined ? "" : ` (it cannot be replayed: ${obstacle})`;
    super(
      "TRANSACTION_LOST",
      `the transaction on ${node} was lost before it was committed: it had no effect${why}. Run it again from its start`,
      { node, cause, retryable: true },
    );
  }
}

/**
 * The transaction was lost, or undone in a conflict, was run again on the present primary, and one of its statements answered otherwise than the application
 * was told. It was rolled back: run it again from its start.
 */
export class ReplayMismatchError extends MirrorpoolError {
  override readonly name = "ReplayMismatchError";
  /** Which statement of the transaction, counted from 1, BEGIN included. */
  readonly statement: number;
  constructor(command: string, statement: number, node: string, cause: unknown) {
    super(
      "REPLAY_MISMATCH",
      `statement ${statement} (${command}) answered otherwise when the transaction was run again on ${node}: it was rolled back. Run it again from its start`,
      { node, cause, retryable: true },
    );
    this.statement = statement;
  }
}

/**
 * With `durability: "mirrored"`: the write is committed on the primary and visible there, and no mirror was seen to have it in
 * time. It is not to be run again; it is lost if the primary is lost before a mirror has it.
 */
export class NotMirroredError extends MirrorpoolError {
  override readonly name = "NotMirroredError";
  /** @param nodes what is known of them, in a line */
  constructor(command: string, node: string, waitedMs: number, nodes: string, cause?: unknown) {
    super(
      "NOT_MIRRORED",
      `${command} is committed on ${node}, and on no mirror after ${Math.round(waitedMs)} ms: do not run it again, but it is lost if ${node} is lost now. Nodes: ${nodes}`,
      { node, cause },
    );
  }
}

/** The ledger's table is not there, or may not be written; the message says what to run. */
export class LedgerMissingError extends MirrorpoolError {
  override readonly name = "LedgerMissingError";
  constructor(table: string, node: string, schema: string, cause: unknown) {
    super(
      "LEDGER_MISSING",
      `the commit ledger's table ${table} cannot be written on ${node}: nothing was committed. Make it once, and let the application INSERT, SELECT, UPDATE and DELETE:\n${schema}`,
      { node, cause },
    );
  }
}

/** No node takes writes. `nodes` has the last observation of each. */
export class NoPrimaryError extends MirrorpoolError {
  override readonly name: string = "NoPrimaryError";
  readonly nodes: readonly NodeReport[];
  constructor(message: string, nodes: readonly NodeReport[], cause?: unknown) {
    super("NO_PRIMARY", message, { retryable: true, cause });
    this.nodes = nodes;
  }
}

/** No node can answer a read. `nodes` has the last observation of each. */
export class NoNodeError extends MirrorpoolError {
  override readonly name = "NoNodeError";
  readonly nodes: readonly NodeReport[];
  constructor(message: string, nodes: readonly NodeReport[], cause?: unknown) {
    super("NO_NODE", message, { retryable: true, cause });
    this.nodes = nodes;
  }
}

/** Two nodes claim to be primary and none is provably newer; writes stop until one of them gives way. */
export class SplitBrainError extends MirrorpoolError {
  override readonly name = "SplitBrainError";
  readonly nodes: readonly NodeReport[];
  constructor(message: string, nodes: readonly NodeReport[]) {
    super("SPLIT_BRAIN", message, { retryable: true });
    this.nodes = nodes;
  }
}

/** The caller's signal fired. Its reason is the `cause`. */
export class AbortedError extends MirrorpoolError {
  /** The name that the platform gives to aborts, so that `error.name === "AbortError"` holds. */
  override readonly name = "AbortError";
  constructor(reason: unknown, message = "the call was aborted") {
    super("ABORTED", message, { cause: reason, retryable: true });
  }
}

/**
 * State of the session that cannot move (LISTEN, an advisory lock, a temporary table) was lost with its node, or what it had set
 * could not be set again elsewhere. The session is as new then.
 */
export class SessionLostError extends MirrorpoolError {
  override readonly name = "SessionLostError";
  /** @param what happened, where it was not the connection that was lost */
  constructor(node: string, cause: unknown, what?: string) {
    const lost = `the connection to ${node} was lost, and with it session state that cannot move to another one (such as LISTEN, an advisory lock or a temporary table)`;
    super(
      "SESSION_LOST",
      `${what === undefined ? lost : `${what} on ${node}`}. The session is as new: set up what it needs again`,
      { node, cause },
    );
  }
}

/** The connection was lost under a stream or cursor that had begun to answer. It is never restarted: read it again from its start. */
export class StreamLostError extends MirrorpoolError {
  override readonly name = "StreamLostError";
  constructor(command: string, node: string, cause: unknown) {
    super(
      "STREAM_LOST",
      `${command}: the connection to ${node} was lost in the middle of its rows. A stream or cursor is never restarted: run it again from its start`,
      { node, cause, retryable: true },
    );
  }
}

/** A reserved connection could not be opened, was lost, or was cut off with its node. What it had begun is gone; a commit's fate unknown. */
export class ReservedLostError extends MirrorpoolError {
  override readonly name = "ReservedLostError";
  constructor(node: string, cause: unknown) {
    super("RESERVED_LOST", `the connection reserved on ${node} is lost. Reserve another one and begin anew`, {
      node,
      cause,
    });
  }
}

/** Thrown by a driver's connection when certainly no byte of the statement left. The core runs such a statement elsewhere. */
export class NotSentError extends Error {
  override readonly name = "NotSentError";
  constructor(cause?: unknown) {
    super("the statement was not sent", cause === undefined ? undefined : { cause });
  }
}

/** Too many callers wait already. */
export class QueueFullError extends MirrorpoolError {
  override readonly name = "QueueFullError";
  constructor(queue: string, limit: number) {
    super("QUEUE_FULL", `${queue}: ${limit} callers wait already`, { retryable: true });
  }
}

/** All connections of a node were in use for too long. */
export class AcquireTimeoutError extends MirrorpoolError {
  override readonly name = "AcquireTimeoutError";
  constructor(node: string, waitedMs: number, inUse: number, waiting: number, cause?: unknown) {
    super(
      "ACQUIRE_TIMEOUT",
      `no free connection to ${node} after ${Math.round(waitedMs)} ms: ${inUse} in use, ${waiting} more callers waiting`,
      { node, cause, retryable: true },
    );
  }
}

/** No answer to a read, or to a statement that was never sent, within the caller's deadline. */
export class DeadlineError extends MirrorpoolError {
  override readonly name = "DeadlineError";
  constructor(command: string, node: string | undefined, afterMs: number, cause?: unknown) {
    const where = node === undefined ? "" : ` on ${node}`;
    super("DEADLINE", `${command}${where}: no answer within ${Math.round(afterMs)} ms`, {
      node,
      cause,
      retryable: true,
    });
  }
}

/** The pool is closed or closing. */
export class PoolClosedError extends MirrorpoolError {
  override readonly name = "PoolClosedError";
  constructor() {
    super("POOL_CLOSED", "the pool is closed");
  }
}

/** COMMIT was answered with a rollback. */
export class TransactionAbortedError extends MirrorpoolError {
  override readonly name = "TransactionAbortedError";
  constructor() {
    super(
      "TRANSACTION_ABORTED",
      "COMMIT was answered with a rollback: a statement of the transaction had failed before, and its error was not passed on. Look for the catch that swallowed it",
    );
  }
}

/** The planned hand-over did not take place. Held work was let go. */
export class SwitchoverError extends MirrorpoolError {
  override readonly name = "SwitchoverError";
  constructor(message: string, cause?: unknown) {
    super("SWITCHOVER_FAILED", message, { cause });
  }
}
