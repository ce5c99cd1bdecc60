import type { Recorded } from "../history.ts";
import { all } from "./check.ts";

/** The commit ledger is on: an outcome that nobody knows may be settled, and what certainly did not commit runs again. */
export function hasLedger(happenings: readonly Recorded[]): boolean {
  return all(happenings, "setting")[0]?.setting.pool.exactlyOnce === true;
}

/** A write is acknowledged only once a mirror has it. */
export function isMirrored(happenings: readonly Recorded[]): boolean {
  return all(happenings, "setting")[0]?.setting.pool.durability === "mirrored";
}

/** Two mirrors were promoted to the same timeline, from one ancestor or from different ones. */
export function hasTwins(happenings: readonly Recorded[]): boolean {
  const timelines = all(happenings, "fault").map(({ what }) => / is promoted to timeline (\d+) /.exec(what)?.[1]);
  const promotions = timelines.filter((timeline) => timeline !== undefined);
  return new Set(promotions).size < promotions.length;
}

/**
 * Each primary has continued the one before it, and the pool could tell: timelines without twins, and no address that led to
 * a stranger. Only then has the ledger one history to be judged by.
 */
export function isLinear(happenings: readonly Recorded[]): boolean {
  const isTold = all(happenings, "setting")[0]?.setting.world.flavour !== "transaction-sets";
  const isOurs = all(happenings, "fault").every(({ what }) => !what.includes("stranger"));
  return isTold && isOurs && !hasTwins(happenings);
}
