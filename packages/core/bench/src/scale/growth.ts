/** What something costs at one size. */
export interface Point {
  readonly size: number;
  readonly cost: number;
}

/** How a cost grows between two sizes. */
export interface Growth {
  readonly from: number;
  readonly to: number;
  /** The power of the size that it grows with: 1 is linear, less is better. */
  readonly exponent: number;
}

/** Between each size and the next one, the steepest. Undefined for less than two sizes. Pure. */
export function steepest(points: readonly Point[]): Growth | undefined {
  let found: Growth | undefined;
  for (const [index, to] of points.entries()) {
    const from = points[index - 1];
    if (from === undefined) continue;
    const exponent = Math.log(to.cost / from.cost) / Math.log(to.size / from.size);
    if (found === undefined || exponent > found.exponent) found = { from: from.size, to: to.size, exponent };
  }
  return found;
}
