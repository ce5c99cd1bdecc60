import type { Key, Row, Table } from "../model.ts";
import type { Querier } from "../querier.ts";
import { askRows, tell } from "./ask.ts";
import { byKeys } from "./keys.ts";
import { quoteName, quoteTable } from "./quote.ts";
import { literalOf, textOf } from "./text-of.ts";

/** Rows by their keys, in no order. Those that are not there are left out. */
export function readRows(
  on: Querier,
  table: Table,
  keys: readonly Key[],
  signal: AbortSignal | undefined,
): Promise<readonly Row[]> {
  const texts = table.columns.map(textOf).join(", ");
  return askRows(on, `SELECT ${texts} FROM ${quoteTable(table)} WHERE ${byKeys(table, keys)}`, signal);
}

/**
 * Makes rows be there as they are given: what has their key is changed, else they are added. Not by ON DUPLICATE KEY UPDATE, which
 * would change a row that has another key and a unique value of the new one.
 * @param rows with the values of the table's columns
 */
export async function writeRows(
  on: Querier,
  table: Table,
  rows: readonly Row[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (rows.length === 0) return;
  const { columns, key = [] } = table;
  const places = key.map(({ name }) => columns.findIndex((column) => column.name === name));
  const keyOf = (row: Row): Key => places.map((place) => row[place] ?? "");
  const keys = rows.map(keyOf);
  const found = `SELECT ${key.map(textOf).join(", ")} FROM ${quoteTable(table)} WHERE ${byKeys(table, keys)} FOR UPDATE`;
  const there = new Set((await askRows(on, found, signal)).map((each) => JSON.stringify(each)));
  const isThere = (row: Row): boolean => there.has(JSON.stringify(keyOf(row)));
  const changed = columns.flatMap((column, place) => (places.includes(place) ? [] : [{ column, place }]));
  for (const row of rows.filter(isThere)) {
    if (changed.length === 0) continue;
    const values = changed.map(({ column, place }) => `${quoteName(column.name)} = ${literalIn(table, row, place)}`);
    const text = `UPDATE ${quoteTable(table)} SET ${values.join(", ")} WHERE ${byKeys(table, [keyOf(row)])}`;
    await tell(on, text, [], signal);
  }
  await insertRows(
    on,
    table,
    rows.filter((row) => !isThere(row)),
    signal,
  );
}

/** Adds rows. */
async function insertRows(
  on: Querier,
  table: Table,
  rows: readonly Row[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (rows.length === 0) return;
  const names = table.columns.map(({ name }) => quoteName(name)).join(", ");
  const values = rows.map((row) => `(${row.map((_, place) => literalIn(table, row, place)).join(", ")})`).join(", ");
  await tell(on, `INSERT INTO ${quoteTable(table)} (${names}) VALUES ${values}`, [], signal);
}

function literalIn({ columns }: Table, row: Row, place: number): string {
  const text = row[place];
  const column = columns[place];
  return text === null || text === undefined || column === undefined ? "NULL" : literalOf(column, text);
}

/** Returns how many there were. */
export async function deleteRows(
  on: Querier,
  table: Table,
  keys: readonly Key[],
  signal: AbortSignal | undefined,
): Promise<number> {
  if (keys.length === 0) return 0;
  return tell(on, `DELETE FROM ${quoteTable(table)} WHERE ${byKeys(table, keys)}`, [], signal);
}
