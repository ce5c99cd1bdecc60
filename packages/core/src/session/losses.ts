import type { Positions } from "../driver.ts";
import type { Sample, Topology } from "../topology/topology.ts";
import type { AckedWrites } from "./write-log.ts";

/** What became of acknowledged writes in a failover. */
export interface Losses {
  readonly kept: number;
  readonly lost: number;
  /** Nobody can tell. */
  readonly unknown: number;
}

/**
 * Which acknowledged writes a new primary has, by positions alone. Pure. All positions are of the former timeline: `end` is
 * how far the new primary had replayed it when it was promoted, a sample is where the former primary stood at some time
 * between `sentAt` and `receivedAt`.
 *
 * - **kept**: acknowledged before a sample was *sent* whose position the new primary has. Its WAL lies below that position.
 * - **lost**: sent after a sample had been *received* whose position is at the end or beyond. Its WAL begins there or above,
 *   and nothing above the end is on the new primary.
 * - **unknown**: all others. A sample beyond the end proves only that some WAL was lost: the writes between the last sample
 *   below the end and the first one beyond it may lie on either side.
 */
export function judgeWrites(
  writes: readonly AckedWrites[],
  samples: readonly Sample[],
  end: string | undefined,
  { covers }: Positions,
): Losses {
  const below = end === undefined ? -1 : samples.findLastIndex(({ position }) => covers(end, position));
  // a sample right at the end is both: what came before it is kept, what came after it is lost
  const beyond = samples.findIndex(
    ({ position }, index) => end !== undefined && index >= below && covers(position, end),
  );
  const keptUntil = samples[below]?.sentAt ?? Number.NEGATIVE_INFINITY;
  const lostFrom = samples[beyond]?.receivedAt ?? Number.POSITIVE_INFINITY;
  let kept = 0;
  let lost = 0;
  let unknown = 0;
  for (const { sentAt, ackedAt, count } of writes) {
    if (ackedAt <= keptUntil) kept += count;
    else if (sentAt >= lostFrom) lost += count;
    else unknown += count;
  }
  return { kept, lost, unknown };
}

/**
 * How far the new primary had replayed the timeline of the former one; undefined where that is not certain. Certain it is
 * only when the same process was seen as a mirror before (a server that recovers from a crash names the end of *that*
 * recovery), and when no promotion lies between that nobody saw. Pure.
 */
export function endOfRecovery(before: Topology, after: Topology): string | undefined {
  if (after.primary === undefined) return undefined;
  const was = before.nodes.get(after.primary)?.observation;
  const is = after.nodes.get(after.primary)?.observation;
  if (was === undefined || was.role !== "mirror" || was.instance !== is?.instance) return undefined;
  const [former, present] = [before.reign?.timeline, after.reign?.timeline];
  if (former !== undefined && present !== undefined && present !== former + 1) return undefined;
  // it says itself that it followed another timeline
  if (was.timeline !== undefined && former !== undefined && was.timeline !== former) return undefined;
  return is.endOfRecovery;
}

/**
 * A primary that waits for a mirror before it acknowledges has lost nothing, as long as whoever promotes takes a mirror that
 * has all. One certain loss disproves that. Pure.
 */
export function trustSynchronous(losses: Losses, isSynchronous: boolean): Losses {
  if (!isSynchronous || losses.lost > 0) return losses;
  return { kept: losses.kept + losses.unknown, lost: 0, unknown: 0 };
}
