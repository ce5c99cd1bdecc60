import type { Column, Key, Range, Table } from "../model.ts";
import type { Querier } from "../querier.ts";
import { askRows } from "./ask.ts";
import { quoteName, quoteTable } from "./quote.ts";
import { literalOf, textOf } from "./text-of.ts";

/** A key column as it is ordered and compared with bounds: the same order on every server. */
const ordered = (column: Column): string =>
  column.order === "own" ? quoteName(column.name) : `CAST(${textOf(column)} AS BINARY)`;

const NUMBER = /^-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?$/;

function bound(column: Column, text: string): string {
  const isNumber = column.form === "number" || column.form === "decimal" || column.form === "float";
  if (isNumber && NUMBER.test(text)) return text;
  return column.order === "own" ? literalOf(column, text) : `CAST(${literalOf(column, text)} AS BINARY)`;
}

const orderOf = (key: readonly Column[]): string => key.map(ordered).join(", ");

/** At or after a bound, column by column: the server finds a range of its index in that, and not in a comparison of rows. */
function atOrAfter(key: readonly Column[], bounds: Key): string {
  const [column, ...rest] = key;
  if (column === undefined) return "TRUE";
  const [text = "", ...others] = bounds;
  const [place, value] = [ordered(column), bound(column, text)];
  if (rest.length === 0) return `${place} >= ${value}`;
  return `(${place} > ${value} OR (${place} = ${value} AND ${atOrAfter(rest, others)}))`;
}

function before(key: readonly Column[], bounds: Key): string {
  const [column, ...rest] = key;
  if (column === undefined) return "FALSE";
  const [text = "", ...others] = bounds;
  const [place, value] = [ordered(column), bound(column, text)];
  if (rest.length === 0) return `${place} < ${value}`;
  return `(${place} < ${value} OR (${place} = ${value} AND ${before(rest, others)}))`;
}

/** The rows of a range, as a condition. */
export function within({ key }: Table, { from, to }: Range): string {
  const conditions: string[] = [];
  if (key !== undefined && from !== null) conditions.push(atOrAfter(key, from));
  if (key !== undefined && to !== null) conditions.push(before(key, to));
  return conditions.length === 0 ? "TRUE" : conditions.join(" AND ");
}

/** The rows with these keys. Found by the index, and told apart byte by byte, whatever the collation takes for equal. */
export function byKeys({ key = [] }: Table, keys: readonly Key[]): string {
  if (keys.length === 0) return "FALSE";
  const [first, ...others] = key;
  if (first !== undefined && others.length === 0) return byOne(first, keys);
  const rows = keys.map((texts) => {
    const parts = key.flatMap((column, index) => {
      const text = texts[index] ?? "";
      const found = `${quoteName(column.name)} = ${column.order === "own" ? bound(column, text) : literalOf(column, text)}`;
      return column.order === "own" ? [found] : [found, `${ordered(column)} = ${bound(column, text)}`];
    });
    return `(${parts.join(" AND ")})`;
  });
  return `(${rows.join(" OR ")})`;
}

/** The same for a key of one column, in lists that the server sorts once. */
function byOne(column: Column, keys: readonly Key[]): string {
  const texts = keys.map(([text = ""]) => text);
  const list = (each: (text: string) => string): string => `(${texts.map(each).join(", ")})`;
  if (column.order === "own") return `${quoteName(column.name)} IN ${list((text) => bound(column, text))}`;
  const found = `${quoteName(column.name)} IN ${list((text) => literalOf(column, text))}`;
  return `(${found} AND ${ordered(column)} IN ${list((text) => bound(column, text))})`;
}

/** Up to so many rows are numbered to find bounds; beyond, the index is walked from bound to bound. */
const NUMBERED_ROWS = 500_000;

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
  const isWalked = options.rows > NUMBERED_ROWS && key.every(({ order }) => order === "own");
  return isWalked
    ? walk(on, table, range, Math.ceil(options.rows / pieces), options.signal)
    : number(on, table, range, pieces, options.signal);
}

async function number(
  on: Querier,
  table: Table,
  range: Range,
  pieces: number,
  signal: AbortSignal | undefined,
): Promise<readonly Key[]> {
  const { key = [] } = table;
  const texts = key.map((column, index) => `${textOf(column)} AS k${index}`).join(", ");
  const names = key.map((_, index) => `k${index}`).join(", ");
  const text = `
    SELECT ${names} FROM (
      SELECT ${texts}, ROW_NUMBER() OVER (ORDER BY ${orderOf(key)}) - 1 AS place, COUNT(*) OVER () AS total
      FROM ${quoteTable(table)} WHERE ${within(table, range)}
    ) AS numbered
    WHERE place > 0 AND place % GREATEST(1, CEIL(total / ${Math.floor(pieces)})) = 0
    ORDER BY place`;
  return toKeys(await askRows(on, text, signal));
}

async function walk(
  on: Querier,
  table: Table,
  range: Range,
  step: number,
  signal: AbortSignal | undefined,
): Promise<readonly Key[]> {
  const { key = [] } = table;
  const bounds: Key[] = [];
  let { from } = range;
  for (;;) {
    const text = `SELECT ${key.map(textOf).join(", ")} FROM ${quoteTable(table)} WHERE ${within(table, { from, to: range.to })}
      ORDER BY ${orderOf(key)} LIMIT 1 OFFSET ${step}`;
    const [next] = toKeys(await askRows(on, text, signal));
    if (next === undefined) return bounds;
    bounds.push(next);
    from = next;
  }
}

const toKeys = (rows: readonly (readonly (string | null)[])[]): readonly Key[] =>
  rows.map((row) => row.map((text) => text ?? "")); // a key has no NULL
