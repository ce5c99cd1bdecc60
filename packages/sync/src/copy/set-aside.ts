import type { Bridge } from "../dialects.ts";
import type { SetAside } from "../model.ts";
import type { Pair } from "../pair-tables.ts";
import type { Querier } from "../querier.ts";

/**
 * What is away while rows are written. Foreign keys come before the keys that they refer to: in this order it is removed. Indexes are
 * set aside of empty tables only, and of those that are worth it: of more than one chunk.
 */
export async function findSetAside(
  bridge: Bridge,
  on: Querier,
  pairs: readonly Pair[],
  options: { readonly chunkBytes: number; readonly isEmpty: boolean; readonly isDelegated: boolean },
): Promise<readonly SetAside[]> {
  const { chunkBytes, isEmpty, isDelegated } = options;
  const targets = pairs.map(({ target }) => target);
  const obstacles = await bridge.target.findObstacles(on, targets);
  if (!isEmpty) return obstacles;
  const big = pairs.filter(({ source }) => source.bytes > chunkBytes);
  big.sort((one, other) => other.source.bytes - one.source.bytes);
  const indexes = await bridge.target.findIndexes(
    on,
    big.map(({ target }) => target),
    targets,
  );
  // other processes read the target's catalogue while the copy runs, and would find no primary key
  return [...obstacles, ...(isDelegated ? indexes.filter(({ kind }) => kind !== "key") : indexes)];
}
