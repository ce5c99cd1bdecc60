import type { Figure, Table } from "../suite.ts";
import { type Point, steepest } from "./growth.ts";

/** Linear, with what two runs differ by on a machine that does other things as well. */
const AT_MOST = 1.15;

/** What is measured at a few sizes: a table of it, and what must grow no faster than its size. */
export interface Scale {
  readonly table: Table;
  readonly costs: readonly (readonly [name: string, points: readonly Point[]])[];
}

/** Where each cost grows fastest, held against linear growth. */
export function growthFigures({ costs }: Scale): Figure[] {
  return costs.flatMap(([name, points]) => {
    const growth = steepest(points);
    if (growth === undefined) return [];
    const { from, to, exponent } = growth;
    return [
      { name: `${name}, steepest from ${from} to ${to}`, value: exponent, unit: "(1 is linear)", atMost: AT_MOST },
    ];
  });
}
