import type { Row } from "./compare.ts";
import type { Verdict } from "./judge.ts";
import type { Figure, Table } from "./suite.ts";

interface Column<T> {
  readonly label: string;
  readonly align: "left" | "right";
  readonly value: (row: T) => string;
}

const COLUMNS: readonly Column<Row>[] = [
  { label: "work", align: "left", value: (row) => row.work },
  { label: "callers", align: "right", value: (row) => String(row.concurrency) },
  { label: "client", align: "left", value: (row) => row.client },
  {
    label: "ratio",
    align: "right",
    value: (row) => (row.client === row.reference ? "reference" : row.ratio.toFixed(2)),
  },
  { label: "ops/s", align: "right", value: (row) => String(Math.round(row.opsPerSecond)) },
  { label: "ns/op", align: "right", value: (row) => String(Math.round(1e9 / row.opsPerSecond)) },
  { label: "p50 ms", align: "right", value: (row) => milliseconds(row.p50Ms) },
  { label: "p99 ms", align: "right", value: (row) => milliseconds(row.p99Ms) },
];

/** Three decimals, and five where a pool answers within microseconds. */
const milliseconds = (value: number): string => value.toFixed(value < 0.1 ? 5 : 3);

/** One line for each client and cell; a gap between cells. */
export function renderRows(rows: readonly Row[]): string {
  return layOut(COLUMNS, rows, (row, before) => before.work !== row.work || before.concurrency !== row.concurrency);
}

/** Its title, and one line for each row. */
export function renderTable({ title, columns, rows }: Table): string {
  const isNumber = (column: number): boolean => rows.every((row) => typeof row[column] === "number");
  const layout = columns.map((label, column) => ({
    label,
    align: isNumber(column) ? ("right" as const) : ("left" as const),
    value: (row: readonly (string | number)[]): string => cellText(row[column]),
  }));
  return `${title}\n${layOut(layout, rows, () => false)}`;
}

function cellText(value: string | number | undefined): string {
  return typeof value === "number" ? amount(value) : (value ?? "");
}

/** Whole where it is large, to hundredths where it is small. */
export function amount(value: number): string {
  if (Number.isInteger(value)) return String(value);
  return Math.abs(value) >= 100 ? String(Math.round(value)) : value.toFixed(2);
}

function layOut<T>(columns: readonly Column<T>[], rows: readonly T[], isGap: (row: T, before: T) => boolean): string {
  const body = rows.map((row) => columns.map(({ value }) => value(row)));
  const widths = columns.map(({ label }, column) =>
    Math.max(label.length, ...body.map((cells) => cells[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return columns[column]?.align === "left" ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd();
  const lines = [line(columns.map(({ label }) => label)), widths.map((width) => "─".repeat(width)).join("  ")];
  body.forEach((cells, index) => {
    const [row, before] = [rows[index], rows[index - 1]];
    if (row !== undefined && before !== undefined && isGap(row, before)) lines.push("");
    lines.push(line(cells));
  });
  return lines.join("\n");
}

/** One line each. */
export function renderFigures(figures: readonly Figure[]): string {
  return figures.map(({ name, value, unit }) => `${name}: ${amount(value)} ${unit}`).join("\n");
}

/** The targets, one line each. */
export function renderVerdicts(verdicts: readonly Verdict[]): string {
  return verdicts
    .map(({ what, callers, value, unit, wanted, bound, isMet }) => {
      const where = callers === undefined ? what : `${what}, callers ${callers}`;
      const limit = bound === "at most" ? `at most ${amount(wanted)}` : wanted.toFixed(2);
      return `${isMet ? "met    " : "NOT MET"}  ${where}: ${bound === "at most" ? amount(value) : value.toFixed(2)} ${unit}, wanted ${limit}`;
    })
    .join("\n");
}
