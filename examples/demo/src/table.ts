import type { Figures } from "./judge.ts";
import { HUNG_MS } from "./judge.ts";

const ROWS: readonly (readonly [label: string, value: (figures: Figures) => number | null])[] = [
  ["acknowledged writes", (each) => each.acknowledged],
  ["lost", (each) => each.lost],
  ["duplicated", (each) => each.duplicated],
  ["errors surfaced", (each) => each.surfacedErrors],
  ["  of these CommitUnknownError", (each) => each.commitUnknown],
  ["hung operations", (each) => each.hung],
  ["uncaught exceptions", (each) => each.uncaught],
  ["written to the superseded primary", (each) => each.toSupersededPrimary],
  ["promotion, ms", (each) => each.promotionMs],
  ["time to first write, ms", (each) => each.firstWriteMs],
  ["throughput back, ms", (each) => each.throughputBackMs],
  ["longest call, ms", (each) => each.longestCallMs],
];

const columnTitle = ({ client, exactlyOnce }: Figures): string => (exactlyOnce ? `${client}, exactly once` : client);

/** The runs of one fault side by side, one column each. */
export function renderTable(runs: readonly Figures[]): string {
  const header = ["", ...runs.map(columnTitle)];
  const body = ROWS.map(([label, value]) => [label, ...runs.map((run) => value(run)?.toString() ?? "never")]);
  const widths = header.map((_, column) => Math.max(...[header, ...body].map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  return [line(header), widths.map((width) => "─".repeat(width)).join("  "), ...body.map(line)].join("\n");
}

export const FOOTNOTE: string = [
  `Times count from the fault. Hung: no answer for more than ${HUNG_MS / 1000} s. never: not within the run.`,
  "Exactly once: with mirrorpool's commit ledger.",
].join("\n");
