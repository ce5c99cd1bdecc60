import type { Row } from "./compare.ts";
import type { Target } from "./suite.ts";

/** A target, and the figures of the one cell that it was held against. */
export interface Verdict {
  readonly row: Row;
  readonly target: Target;
  readonly isMet: boolean;
}

/** Holds the figures against the targets, to the two decimals that are printed. Pure. */
export function judge(rows: readonly Row[], targets: readonly Target[]): Verdict[] {
  return targets.flatMap((target) =>
    rows
      .filter(({ client, work }) => client === target.client && (target.work ?? work) === work)
      .map((row) => ({ row, target, isMet: Math.round(row.ratio * 100) / 100 >= target.ratio })),
  );
}
