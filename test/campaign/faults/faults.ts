import type { Random } from "../../simulation/random.ts";
import type { CampaignSystem } from "../system.ts";
import { drawBlackHole } from "./black-hole.ts";
import { drawDoubleFailover } from "./double-failover.ts";
import type { DrawFault, Fault } from "./fault.ts";
import { drawFreeze } from "./freeze.ts";
import { drawHalfOpen } from "./half-open.ts";
import { drawKill } from "./kill.ts";
import { drawLostMember, drawLostQuorum } from "./lost-quorum.ts";
import { drawPromotion } from "./promotion.ts";
import { drawReadOnly } from "./read-only.ts";
import { drawResetInCommit } from "./reset-in-commit.ts";
import { drawStop } from "./stop.ts";
import { drawTermination } from "./terminate.ts";

/** By how often they are drawn: those with many parameters more often. */
const KINDS: readonly (readonly [weight: number, draw: DrawFault])[] = [
  [3, drawKill],
  [3, drawFreeze],
  [2, drawStop],
  [2, drawTermination],
  [4, drawResetInCommit],
  [8, drawHalfOpen],
  [3, drawBlackHole],
  [3, drawReadOnly],
  [3, drawPromotion],
  [2, drawDoubleFailover],
];

/** In a group no second promotion can be forced on one that is asked; but it may lose its quorum. */
const GROUP_KINDS: readonly (readonly [weight: number, draw: DrawFault])[] = [
  ...KINDS.filter(([, draw]) => draw !== drawDoubleFailover),
  [4, drawLostQuorum],
  [3, drawLostMember],
];

/** Draws the faults of a campaign. The same seed gives the same faults on the same system. */
export function drawFaults(random: Random, count: number, system: CampaignSystem): Fault[] {
  const kinds = system.group === undefined ? KINDS : GROUP_KINDS;
  return Array.from({ length: count }, () => random.weighted(kinds)(random, system));
}
