import type { Machine, Report } from "./report.ts";
import type { Table } from "./suite.ts";

/** The figures of an earlier run that a later one is compared with: ratios, since speeds are the machine's. */
export interface Baseline {
  readonly machine: Machine;
  readonly entries: readonly Entry[];
}

interface Entry {
  readonly suite: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

/** What of these reports is worth keeping; entries of suites that did not run stay as they were. Pure. */
export function record(reports: readonly Report[], machine: Machine, before?: Baseline): Baseline {
  const ran = new Set(reports.map(({ suite }) => suite));
  const kept = (before?.entries ?? []).filter(({ suite }) => !ran.has(suite));
  return { machine, entries: [...kept, ...reports.flatMap(entriesOf)] };
}

function entriesOf({ suite, rows, figures = [] }: Report): Entry[] {
  const ratios = rows
    .filter(({ client, reference }) => client !== reference)
    .map(({ work, concurrency, client, reference, ratio }) => {
      const what = `${work}, callers ${concurrency}: ${client}`;
      return { suite, what, value: rounded(ratio), unit: `of ${reference}` };
    });
  return [...ratios, ...figures.map(({ name, value, unit }) => ({ suite, what: name, value: rounded(value), unit }))];
}

/** More digits would only be noise. */
const rounded = (value: number): number => Number(value.toPrecision(4));

/** Each figure that both have, with its change. Pure. */
export function compareWith(baseline: Baseline, reports: readonly Report[]): Table {
  const then = new Map(baseline.entries.map((entry) => [keyOf(entry), entry.value]));
  const rows = reports.flatMap(entriesOf).map((entry) => {
    const before = then.get(keyOf(entry));
    const change = before === undefined ? "new" : (entry.value / before).toFixed(2);
    return [entry.suite, entry.what, before ?? "", entry.value, entry.unit, change];
  });
  return { title: "Beside the baseline", columns: ["suite", "what", "then", "now", "", "now / then"], rows };
}

const keyOf = ({ suite, what, unit }: Entry): string => [suite, what, unit].join("\n");

/** @throws {Error} that says what the file is not */
export function parseBaseline(text: string, file: string): Baseline {
  const data: unknown = JSON.parse(text);
  if (typeof data !== "object" || data === null || !("entries" in data) || !Array.isArray(data.entries)) {
    throw new Error(`${file} is no baseline: write one with --record`);
  }
  return data as Baseline; // written by `record`
}
