/** Every error that the jobs make themselves. Those of the pools and of the databases reach the caller as they are. */
export const jobErrorCodes = {
  REFUSED: "the job cannot be done as asked; nothing was changed",
  JOB_CONFLICT: "another job of this name was begun with other options, or is finished differently",
  SNAPSHOT_LOST: "the source lost its consistent view too often",
  CHUNK_FAILED: "one chunk could not be moved, however often it was tried",
  CONSTRAINT_FAILED: "a constraint that was set aside for the load does not hold on the target",
  REPAIR_CONFLICT: "a row could not be made equal, because another row or a constraint of the target stands in the way",
  DDL_ON_SOURCE: "a table has other columns than before: following it has stopped",
  CONFLICT: "a change of the source does not fit to what the target has",
  VALUE_REFUSED: "a change of the source has a value that the target cannot hold as it is",
  LOG_UNREADABLE: "the source's binary log does not tell every change row by row",
  SLOT_LOST: "the source has no position any more from which to go on",
  GTIDS_LOST: "the source does not have, or no longer has, the transactions that the target's server has or needs",
  FOLLOW_FAILED: "following has ended because of an error that does not mend by itself",
} as const;

export type JobErrorCode = keyof typeof jobErrorCodes;

/** One reason why a job cannot be done, found before the first row. */
export interface Refusal {
  /** `schema.table`, or empty where it concerns all of them. */
  readonly table: string;
  readonly column?: string;
  /** What stands in the way, and what to do. */
  readonly reason: string;
}

/** A change of the source that does not fit to what the target has. */
export interface Conflict {
  readonly table: string;
  readonly change: "insert" | "update" | "delete";
  /** Texts of the key's columns. */
  readonly key: readonly string[];
  /** The row as the source has it; values that were not sent are missing. Undefined for a delete. */
  readonly source: Readonly<Record<string, string | null>> | undefined;
  /** The row as the target has it; undefined where it has none with this key. */
  readonly target: Readonly<Record<string, string | null>> | undefined;
}

/** An error of a job. The message says what failed, where, and what to do; never a password or a statement's values. */
export class JobError extends Error {
  override readonly name = "JobError";
  readonly code: JobErrorCode;
  /** What stands in the way, where the code is `REFUSED`. */
  readonly refusals: readonly Refusal[];
  /** Where the code is `CONFLICT`. */
  readonly conflict: Conflict | undefined;
  /** The same call may be made again, and goes on where it was. */
  readonly resumable: boolean;

  constructor(
    code: JobErrorCode,
    message: string,
    details: {
      readonly cause?: unknown;
      readonly refusals?: readonly Refusal[];
      readonly resumable?: boolean;
      readonly conflict?: Conflict;
    } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.conflict = details.conflict;
    this.refusals = details.refusals ?? [];
    this.resumable = details.resumable ?? false;
  }
}

const MAX_SHOWN = 10;

/** @param what such as `the job is` */
export function refused(what: string, refusals: readonly Refusal[]): JobError {
  const shown = refusals.slice(0, MAX_SHOWN).map(({ table, column, reason }) => {
    const place = [table, column].filter((part) => part !== undefined && part !== "").join(": ");
    return place === "" ? reason : `${place}: ${reason}`;
  });
  const more = refusals.length > MAX_SHOWN ? `; and ${refusals.length - MAX_SHOWN} more` : "";
  return new JobError("REFUSED", `${what} refused, and nothing was changed: ${shown.join("; ")}${more}`, { refusals });
}
