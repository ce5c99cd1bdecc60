/**
 * How fresh a read has to be: `process`: it sees what this process has written; `context`: what its own context has written
 * (see `inContext`), outside of any the same as `process`; `strong`: the primary answers; `eventual`: any mirror within the
 * lag limits.
 */
export type Consistency = "process" | "context" | "eventual" | "strong";

/** When the last writes completed, on the environment's clock; -Infinity before the first. */
export interface LastWrites {
  readonly process: number;
  /** Of the caller's context; undefined outside of any. */
  readonly context: number | undefined;
}

/** The time that a mirror must be fresh as of. Pure. */
export function freshAfter(consistency: Consistency, lastWrites: LastWrites): number {
  switch (consistency) {
    case "process":
      return lastWrites.process;
    case "context":
      return lastWrites.context ?? lastWrites.process;
    case "eventual":
      return Number.NEGATIVE_INFINITY;
    case "strong":
      return Number.POSITIVE_INFINITY;
    default:
      return consistency satisfies never;
  }
}
