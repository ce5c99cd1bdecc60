/**
 * How fresh a read has to be: `process`: it sees what this process has written; `strong`: the primary answers;
 * `eventual`: any mirror within the lag limits.
 */
export type Consistency = "process" | "eventual" | "strong";

/** The time that a mirror must be fresh as of, given when the last write of this process completed. Pure. */
export function freshAfter(consistency: Consistency, lastWriteAt: number): number {
  switch (consistency) {
    case "process":
      return lastWriteAt;
    case "eventual":
      return Number.NEGATIVE_INFINITY;
    case "strong":
      return Number.POSITIVE_INFINITY;
    default:
      return consistency satisfies never;
  }
}
