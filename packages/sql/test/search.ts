const seed = process.env["MIRRORPOOL_SEARCH_SEED"];
const factor = Number(process.env["MIRRORPOOL_SEARCH_FACTOR"] ?? 1);

/**
 * How far a property is searched. The seed is held, so that a change is judged by the same texts as the one before it;
 * `MIRRORPOOL_SEARCH_SEED=random` and `MIRRORPOOL_SEARCH_FACTOR=100` look for new ones.
 */
export function search(numRuns: number): { readonly numRuns: number; readonly seed?: number } {
  return { numRuns: numRuns * factor, ...(seed !== "random" && { seed: Number(seed ?? 1) }) };
}
