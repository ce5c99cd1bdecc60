import type { Bridge } from "../dialects.ts";
import type { Refusal } from "../errors.ts";
import { nameOf } from "../model.ts";
import type { Pair } from "../pair-tables.ts";
import type { Querier } from "../querier.ts";

/** Values of the source that the target cannot hold as they are, one for each column and rule. Costs a scan of each table that may have some. */
export async function refuseLosses(
  { source }: Bridge,
  on: Querier,
  pairs: readonly Pair[],
  signal: AbortSignal,
): Promise<readonly Refusal[]> {
  const refusals: Refusal[] = [];
  for (const { source: table, losses } of pairs) {
    const found = await source.findLosses(on, table, losses, signal);
    for (const [index, loss] of losses.entries()) {
      const value = found[index];
      if (value === undefined) continue;
      const reason = `it has the value ${JSON.stringify(value)}: ${loss.reason}`;
      refusals.push({ table: nameOf(table), column: loss.column, reason });
    }
  }
  return refusals;
}
