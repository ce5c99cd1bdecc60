import type { Lag } from "./change-source.ts";

/** How far it is, and what it has done. Plain data. */
export interface FollowStats {
  readonly state: "starting" | "copying" | "reseeding" | "streaming" | "interrupted" | "stopped" | "failed";
  /** What the target has everything of. */
  readonly position: string | undefined;
  /** From there to where the source is, as far as it has told. */
  readonly lagBytes: number | undefined;
  /** Age of the newest transaction that was written, while there are others to be written; else 0. */
  readonly lagMs: number | undefined;
  readonly transactions: number;
  readonly changes: number;
  readonly conflicts: number;
  readonly reseeds: number;
  readonly interruptions: number;
}

/** What is counted. */
export type FollowCounts = Pick<FollowStats, "transactions" | "changes" | "conflicts" | "reseeds" | "interruptions">;

export const NO_COUNTS: FollowCounts = { transactions: 0, changes: 0, conflicts: 0, reseeds: 0, interruptions: 0 };

/** @param lag undefined where it is not known, as while nothing streams. Pure. */
export function statsOf(
  state: FollowStats["state"],
  position: string | undefined,
  lag: Lag | undefined,
  ageMs: number | undefined,
  counts: FollowCounts,
): FollowStats {
  const isKnown = state === "streaming" && lag !== undefined;
  return Object.freeze({
    state,
    position,
    lagBytes: isKnown ? lag.bytes : undefined,
    lagMs: !isKnown ? undefined : lag.isBehind ? ageMs : 0,
    ...counts,
  });
}
