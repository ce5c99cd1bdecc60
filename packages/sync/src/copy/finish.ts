import type { FailoverPool } from "@mirrorpool/core";
import type { Bridge } from "../dialects.ts";
import { JobError } from "../errors.ts";
import { codeOf, isPassing } from "../faults.ts";
import type { Pair } from "../pair-tables.ts";
import { copySequences } from "../sequences.ts";
import type { CopyPlan } from "./plan.ts";

/** What follows the rows: sequences, and what was set aside. May be done again as often as it takes. Returns the sequences. */
export async function finishCopy(
  work: {
    readonly bridge: Bridge;
    readonly from: FailoverPool;
    readonly to: FailoverPool;
    readonly job: string;
    readonly signal: AbortSignal;
  },
  plan: CopyPlan,
  pairs: readonly Pair[],
): Promise<number> {
  const { bridge, to, job, signal } = work;
  const sequences = await copySequences(work, pairs);
  for (const obstacle of plan.setAside) {
    signal.throwIfAborted();
    try {
      await bridge.target.bringBack(to, obstacle, signal);
    } catch (error) {
      if (isPassing(error)) throw error;
      const message = `all rows are copied, and ${obstacle.name} on ${obstacle.table} could not be brought back (${codeOf(error) ?? "no code"}). Mend that and run the same copy again: it goes on here`;
      throw new JobError("CONSTRAINT_FAILED", message, { cause: error, resumable: true });
    }
  }
  await bridge.target.state.finish(to, job);
  return sequences;
}
