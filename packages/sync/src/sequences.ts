import type { FailoverPool } from "@mirrorpool/core";
import type { Bridge } from "./dialects.ts";
import type { Pair } from "./pair-tables.ts";

/** Has the target count on from where the source is. Returns how many sequences that were. */
export async function copySequences(
  work: {
    readonly bridge: Bridge;
    readonly from: FailoverPool;
    readonly to: FailoverPool;
    readonly signal?: AbortSignal | undefined;
  },
  pairs: readonly Pair[],
): Promise<number> {
  const { bridge, from, to, signal } = work;
  const tables = pairs.map(({ source }) => source);
  const sequences = await bridge.source.readSequences(from, tables, signal);
  const targets = pairs.map(({ target }) => target);
  return bridge.target.setSequences(to, targets, sequences);
}
