import type { Row } from "./compare.ts";
import type { Figure, Target } from "./suite.ts";

/** A target, and the figure that was held against it. */
export interface Verdict {
  readonly what: string;
  readonly callers: number | undefined;
  readonly value: number;
  readonly unit: string;
  readonly wanted: number;
  readonly bound: "at least" | "at most";
  readonly isMet: boolean;
}

/** Holds the figures against the targets, to the two decimals that are printed. Pure. */
export function judge(rows: readonly Row[], targets: readonly Target[]): Verdict[] {
  return targets.flatMap((target) =>
    rows.filter((row) => speaksOf(target, row)).map((row) => judgeRow(row, otherOf(target, row, rows), target)),
  );
}

/** The same for figures that have no reference. Pure. */
export function judgeFigures(figures: readonly Figure[]): Verdict[] {
  return figures.flatMap(({ name, value, unit, atMost }) => {
    if (atMost === undefined) return [];
    const isMet = hundredths(value) <= atMost;
    return [{ what: name, callers: undefined, value, unit, wanted: atMost, bound: "at most", isMet } as const];
  });
}

function speaksOf({ client, work, concurrency }: Target, row: Row): boolean {
  return (
    client === row.client && (work ?? row.work) === row.work && (concurrency ?? row.concurrency) === row.concurrency
  );
}

/** The row of the client that is named in place of the reference. */
function otherOf({ over }: Target, { work, concurrency }: Row, rows: readonly Row[]): Row | undefined {
  return rows.find((row) => row.client === over && row.work === work && row.concurrency === concurrency);
}

function judgeRow(row: Row, other: Row | undefined, { of = "speed", over, ratio }: Target): Verdict {
  const ratioOf = (each: Row): number => (of === "speed" ? each.ratio : each.p99Ratio);
  const value = over === undefined ? ratioOf(row) : ratioOf(row) / (other === undefined ? Number.NaN : ratioOf(other));
  const what = of === "speed" ? "" : ", p99";
  return {
    what: `${row.client}, ${row.work}${what}`,
    callers: row.concurrency,
    value,
    unit: `of ${over ?? row.reference}`,
    wanted: ratio,
    bound: "at least",
    isMet: hundredths(value) >= ratio,
  };
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;
