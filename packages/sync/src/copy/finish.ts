import type { FailoverPool } from "@mirrorpool/core";
import type { Dialect } from "../dialect.ts";
import { JobError } from "../errors.ts";
import { codeOf, isPassing } from "../faults.ts";
import type { Pair } from "../pair-tables.ts";
import { PATIENT } from "../querier.ts";
import type { CopyPlan } from "./plan.ts";

/** What follows the rows: sequences, and what was set aside. May be done again as often as it takes. Returns the sequences. */
export async function finishCopy(
  work: {
    readonly dialect: Dialect;
    readonly from: FailoverPool;
    readonly to: FailoverPool;
    readonly job: string;
    readonly signal: AbortSignal;
  },
  plan: CopyPlan,
  pairs: readonly Pair[],
): Promise<number> {
  const { dialect, from, to, job, signal } = work;
  const tables = pairs.map(({ source }) => source);
  // on the primary: a mirror has sequences some values ahead
  const sequences = await from.transaction((on) => dialect.setSequences(on, to, tables), {
    ...PATIENT,
    readOnly: true,
    signal,
  });
  for (const obstacle of plan.setAside) {
    signal.throwIfAborted();
    if (!(await dialect.isAway(to, obstacle))) continue;
    try {
      await to.query(obstacle.restore, undefined, { ...PATIENT, signal });
    } catch (error) {
      if (isPassing(error)) throw error;
      const message = `all rows are copied, and ${obstacle.name} on ${obstacle.table} could not be brought back (${codeOf(error) ?? "no code"}). Mend that and run the same copy again: it goes on here`;
      throw new JobError("CONSTRAINT_FAILED", message, { cause: error, resumable: true });
    }
  }
  await dialect.state.finish(to, job);
  return sequences;
}
