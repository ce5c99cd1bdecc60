import { MirrorpoolError } from "@mirrorpool/core";
import { UnitFailed } from "./fleet/unit-failed.ts";
import { Stalled } from "./stream.ts";

/** Errors of the pools after which the same work may be begun anew: nothing of it is left, or a checkpoint tells. */
const PASSING: ReadonlySet<string> = new Set([
  "TRANSACTION_LOST",
  "REPLAY_MISMATCH",
  "COMMIT_UNKNOWN",
  "STREAM_LOST",
  "SESSION_LOST",
  "RESERVED_LOST",
  "READ_LOST",
  "DEADLINE",
  "ACQUIRE_TIMEOUT",
]);

/**
 * Undone by the server, or not possible just now: a serialization failure, a deadlock, a lock that was not had in time, an end by
 * an administrator; and for a view that is to be taken over: its connection has just failed (25P02, 25001) or is gone (22023).
 */
const UNDONE: ReadonlySet<string> = new Set([
  "40001",
  "40P01",
  "55P03",
  "57P01",
  "57P02",
  "57P03",
  "25P02",
  "25001",
  "22023",
]);

/** The nodes could not be had within the pool's own patience, or the caller has had enough. */
const FINAL: ReadonlySet<string> = new Set(["NO_PRIMARY", "NO_NODE", "SPLIT_BRAIN", "POOL_CLOSED", "ABORTED"]);

/** The same of MariaDB and MySQL, by their numbers: a changed record, a lock that was not had, a deadlock, a killed statement. */
const UNDONE_NUMBERS: ReadonlySet<number> = new Set([1020, 1205, 1213, 1317, 1614]);

/** Whether the same work may succeed when it is begun anew. By codes alone. */
export function isPassing(error: unknown): boolean {
  if (error instanceof MirrorpoolError) return !FINAL.has(error.code) && (PASSING.has(error.code) || error.retryable);
  if (error instanceof Stalled || error instanceof UnitFailed || error instanceof ChangesLost) return true;
  return UNDONE.has(codeOf(error) ?? "") || UNDONE_NUMBERS.has(numberOf(error) ?? 0);
}

/** Nothing more comes of the source's changes over this connection. */
export class ChangesLost extends Error {
  override readonly name = "ChangesLost";
}

/** The target's server has taken rows, and not as they are. */
export class RowsRefused extends Error {
  override readonly name = "RowsRefused";
  /** Of its first warning. */
  readonly errno: number;
  readonly code: string;
  constructor(number: number) {
    super(`the server has warned that a row is not written as it is (its number ${number})`);
    this.errno = number;
    this.code = String(number);
  }
}

/** All connections that had the source's view are lost, or the server takes it away: nobody can ever see it again. */
export class ViewLost extends Error {
  override readonly name = "ViewLost";
  constructor(cause: unknown) {
    super("the consistent view of the source is lost", { cause });
  }
}

export function codeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The number of an error of MariaDB or MySQL. */
export function numberOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("errno" in error)) return undefined;
  return typeof error.errno === "number" ? error.errno : undefined;
}
