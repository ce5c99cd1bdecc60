import type { Column, Key, Range, Table } from "../model.ts";
import { ask, type Querier } from "../querier.ts";
import { quoteName, quoteTable, quoteText } from "./quote.ts";
import { textOf } from "./text-of.ts";

/** A key column as it is ordered and compared with bounds: the same order on every server. */
function ordered(column: Column): string {
  const { name, order } = column;
  if (order === "text") return `${textOf(column)} COLLATE "C"`;
  return order === "bytes" ? `${quoteName(name)} COLLATE "C"` : quoteName(name);
}

const bound = ({ type, order }: Column, text: string): string =>
  order === "text" ? quoteText(text) : `${quoteText(text)}::${type}`;

const orderOf = (key: readonly Column[]): string => key.map(ordered).join(", ");

function compared(key: readonly Column[], operator: "<" | ">=", bounds: Key): string {
  const values = key.map((column, index) => bound(column, bounds[index] ?? ""));
  return `(${orderOf(key)}) ${operator} (${values.join(", ")})`;
}

/** The rows of a range, as a condition. */
export function within({ key }: Table, { from, to }: Range): string {
  const conditions: string[] = [];
  if (key !== undefined && from !== null) conditions.push(compared(key, ">=", from));
  if (key !== undefined && to !== null) conditions.push(compared(key, "<", to));
  return conditions.length === 0 ? "true" : conditions.join(" AND ");
}

/** What is read: a table that others inherit from gives its own rows only. */
export const rowsOf = (table: Table): string => `${table.isPartitioned ? "" : "ONLY "}${quoteTable(table)}`;

/** Rows up to which all keys are looked at, beyond which a sample will do. */
const EXACT_ROWS = 50_000;
/** Keys of a sample for each piece. */
const SAMPLE_PER_PIECE = 100;
/** Rows of a page are often of neighbours. */
const SAMPLED_PAGES_PER_PIECE = 20;
const PAGE_BYTES = 8192;

/** Bounds that cut a range of a table into about this many pieces of about the same number of rows. Fewer than that, without bounds. */
export async function splitRange(
  on: Querier,
  table: Table,
  range: Range,
  pieces: number,
  options: { readonly rows: number; readonly signal?: AbortSignal | undefined },
): Promise<readonly Key[]> {
  const { key } = table;
  if (key === undefined || pieces < 2) return [];
  const isSampled = options.rows > EXACT_ROWS && range.from === null && range.to === null;
  const share = Math.max(SAMPLE_PER_PIECE / options.rows, (SAMPLED_PAGES_PER_PIECE * PAGE_BYTES) / table.bytes);
  const percent = Math.min(100, 100 * pieces * share);
  const sample = isSampled ? ` TABLESAMPLE SYSTEM (${Math.max(percent, 0.0001)})` : "";
  const names = key.map(({ name }) => quoteName(name)).join(", ");
  const texts = key.map(textOf).join(", ");
  const text = `
    SELECT to_json(ARRAY[${texts}])::text AS key FROM (
      SELECT ${names}, row_number() OVER (ORDER BY ${orderOf(key)}) - 1 AS place, count(*) OVER () AS total
      FROM ${rowsOf(table)}${sample} WHERE ${within(table, range)}
    ) AS numbered
    WHERE place > 0 AND place % greatest(1, total / ${Math.floor(pieces)} + (total % ${Math.floor(pieces)} > 0)::int) = 0
    ORDER BY place`;
  const rows = await ask<{ key: string }>(on, text, [], options.signal);
  return rows.map(({ key: json }) => JSON.parse(json) as Key);
}
