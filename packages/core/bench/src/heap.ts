import { median } from "./statistics.ts";

/** The first of these warms up. */
const ROUNDS = 6;

/**
 * Bytes of the heap that are in use after `begin` and were not before: the median of a few rounds. Needs `--expose-gc`.
 * @param end undoes what `begin` did
 */
export async function heapGrowth(begin: () => Promise<unknown>, end: () => Promise<unknown>): Promise<number> {
  const grown: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = usedBytes();
    await begin();
    const after = usedBytes();
    await end();
    if (round > 0) grown.push(after - before);
  }
  return median(grown);
}

function usedBytes(): number {
  if (globalThis.gc === undefined) throw new Error("memory is measured with node --expose-gc");
  // what is weakly held goes only with the second one
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}
