import type { FailoverPool } from "@mirrorpool/core";
import { ViewLost } from "../faults.ts";
import type { Pair } from "../pair-tables.ts";
import { copySequences } from "../sequences.ts";
import { NO_KEYS } from "../types/keys-for.ts";
import { type BringBackWork, bringBack } from "./bring-back.ts";
import { makeKeys } from "./make-keys.ts";
import type { CopyPlan } from "./plan.ts";

export interface Finished {
  readonly sequences: number;
  readonly warnings: readonly string[];
}

/**
 * What follows the rows: sequences, what was set aside, and the indexes and foreign keys of tables that were made. May be done again as often as it takes. Returns how many sequences, and what could not be made.
 * @param epoch of the target, in which all rows were there
 * @throws {ViewLost} where that has another primary since: it may have less
 */
export async function finishCopy(
  work: BringBackWork & { readonly from: FailoverPool },
  plan: CopyPlan,
  pairs: readonly Pair[],
  epoch: number,
): Promise<Finished> {
  const { bridge, to, job } = work;
  const sequences = await copySequences(work, pairs);
  await bringBack(work, plan.setAside);
  const warnings = await makeKeys(
    { ...work, dialect: bridge.target },
    plan.keys ?? NO_KEYS,
    pairs.map(({ target }) => target),
  );
  if (to.topology().epoch !== epoch) throw new ViewLost(undefined);
  await bridge.target.state.finish(to, job);
  return { sequences, warnings };
}
