import type { Row } from "./compare.ts";
import type { Verdict } from "./judge.ts";
import type { Figure } from "./suite.ts";

const COLUMNS: readonly (readonly [label: string, align: "left" | "right", value: (row: Row) => string])[] = [
  ["work", "left", (row) => row.work],
  ["callers", "right", (row) => String(row.concurrency)],
  ["client", "left", (row) => row.client],
  ["ratio", "right", (row) => (row.client === row.reference ? "reference" : row.ratio.toFixed(2))],
  ["ops/s", "right", (row) => String(Math.round(row.opsPerSecond))],
  ["ns/op", "right", (row) => String(Math.round(1e9 / row.opsPerSecond))],
  ["p50 ms", "right", (row) => milliseconds(row.p50Ms)],
  ["p99 ms", "right", (row) => milliseconds(row.p99Ms)],
];

/** Three decimals, and five where a pool answers within microseconds. */
const milliseconds = (value: number): string => value.toFixed(value < 0.1 ? 5 : 3);

/** One line for each client and cell; a gap between cells. */
export function renderTable(rows: readonly Row[]): string {
  const body = rows.map((row) => COLUMNS.map(([, , value]) => value(row)));
  const widths = COLUMNS.map(([label], column) =>
    Math.max(label.length, ...body.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return COLUMNS[column]?.[1] === "left" ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd();
  const lines = [line(COLUMNS.map(([label]) => label)), widths.map((width) => "─".repeat(width)).join("  ")];
  body.forEach((cells, index) => {
    const [row, before] = [rows[index], rows[index - 1]];
    const isSameCell = before?.work === row?.work && before?.concurrency === row?.concurrency;
    if (index > 0 && !isSameCell) lines.push("");
    lines.push(line(cells));
  });
  return lines.join("\n");
}

/** One line each. */
export function renderFigures(figures: readonly Figure[]): string {
  return figures.map(({ name, value, unit }) => `${name}: ${Math.round(value)} ${unit}`).join("\n");
}

/** The targets, one line for each cell. */
export function renderVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ row, target, isMet }) => {
      const what = `${row.client}, ${row.work}, callers ${row.concurrency}`;
      const figure = `${row.ratio.toFixed(2)} of ${row.reference}, wanted ${target.ratio.toFixed(2)}`;
      return `${isMet ? "met    " : "NOT MET"}  ${what}: ${figure}`;
    })
    .join("\n");
}
