import type { FailoverPool } from "@mirrorpool/core";
import { ViewLost } from "../faults.ts";
import type { Pair } from "../pair-tables.ts";
import { copySequences } from "../sequences.ts";
import { type BringBackWork, bringBack } from "./bring-back.ts";
import type { CopyPlan } from "./plan.ts";

/**
 * What follows the rows: sequences, and what was set aside. May be done again as often as it takes. Returns the sequences.
 * @param epoch of the target, in which all rows were there
 * @throws {ViewLost} where that has another primary since: it may have less
 */
export async function finishCopy(
  work: BringBackWork & { readonly from: FailoverPool },
  plan: CopyPlan,
  pairs: readonly Pair[],
  epoch: number,
): Promise<number> {
  const { bridge, to, job } = work;
  const sequences = await copySequences(work, pairs);
  await bringBack(work, plan.setAside);
  if (to.topology().epoch !== epoch) throw new ViewLost(undefined);
  await bridge.target.state.finish(to, job);
  return sequences;
}
