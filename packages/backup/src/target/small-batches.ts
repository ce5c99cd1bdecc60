/** So many in one transaction at most: each keeps its locks to the end of it, and is done again where that fails. */
const MOST = 50;
const MOST_BYTES = 8 * 1024 ** 2;

/**
 * Puts what is small together, in its order: a transaction costs more than a table of a few rows, of which there may be ten
 * thousand. What is big stays alone. Pure.
 */
export function smallBatches<T>(items: Iterable<T>, bytesOf: (item: T) => number): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let left = 0;
  for (const item of items) {
    const bytes = bytesOf(item);
    const batch = batches.at(-1);
    if (batch !== undefined && batch.length < MOST && bytes <= left) batch.push(item);
    else {
      batches.push([item]);
      left = MOST_BYTES;
    }
    left -= bytes;
  }
  return batches;
}
