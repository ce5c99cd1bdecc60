import type { Key, Row, Table } from "../model.ts";
import { ask, type Querier, tell } from "../querier.ts";
import { byKeys } from "./checksum.ts";
import { rowsOf } from "./keys.ts";
import { quoteName, quoteTable } from "./quote.ts";

/** Rows by their keys, in no order. Those that are not there are left out. */
export async function readRows(
  on: Querier,
  table: Table,
  keys: readonly Key[],
  signal: AbortSignal | undefined,
): Promise<readonly Row[]> {
  const { text, values } = byKeys(table, keys);
  const columns = table.columns.map(({ name }) => `${quoteName(name)}::text`).join(", ");
  const statement = `SELECT json_build_array(${columns})::text AS row FROM ${rowsOf(table)} WHERE ${text}`;
  const rows = await ask<{ row: string }>(on, statement, values, signal);
  return rows.map(({ row }) => JSON.parse(row) as Row);
}

/**
 * Makes rows be there as they are given: what has their key is changed, else they are added.
 * @param rows with the values of the table's columns
 */
export async function writeRows(
  on: Querier,
  table: Table,
  rows: readonly Row[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { columns, key = [] } = table;
  if (rows.length === 0) return;
  const keyNames = new Set(key.map(({ name }) => name));
  const changed = columns.filter(({ name }) => !keyNames.has(name));
  const updates = changed.map(({ name }) => `${quoteName(name)} = excluded.${quoteName(name)}`).join(", ");
  // an identity column that is GENERATED ALWAYS cannot be changed, only be written with its row
  const isReplaced = changed.some(({ isAlways }) => isAlways);
  if (isReplaced) await deleteRows(on, table, keysOf(table, rows), signal);
  const action = updates === "" || isReplaced ? "DO NOTHING" : `DO UPDATE SET ${updates}`;
  const conflict = `ON CONFLICT (${key.map(({ name }) => quoteName(name)).join(", ")}) ${action}`;
  await insert(on, table, rows, conflict, signal);
}

export async function insertRows(
  on: Querier,
  table: Table,
  rows: readonly Row[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (rows.length > 0) await insert(on, table, rows, "", signal);
}

async function insert(
  on: Querier,
  table: Table,
  rows: readonly Row[],
  conflict: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { columns } = table;
  const names = columns.map(({ name }) => quoteName(name)).join(", ");
  const values = columns.map(({ type }, index) => `r.c${index}::${type}`).join(", ");
  const arrays = columns.map((_, index) => `$${index + 1}::text[]`).join(", ");
  const aliases = columns.map((_, index) => `c${index}`).join(", ");
  const text = `INSERT INTO ${quoteTable(table)} (${names}) OVERRIDING SYSTEM VALUE
    SELECT ${values} FROM unnest(${arrays}) AS r(${aliases}) ${conflict}`;
  await tell(
    on,
    text,
    columns.map((_, index) => rows.map((row) => row[index] ?? null)),
    signal,
  );
}

/** Returns how many there were. */
export function deleteRows(
  on: Querier,
  table: Table,
  keys: readonly Key[],
  signal: AbortSignal | undefined,
): Promise<number> {
  if (keys.length === 0) return Promise.resolve(0);
  const { text, values } = byKeys(table, keys);
  return tell(on, `DELETE FROM ${rowsOf(table)} WHERE ${text}`, values, signal);
}

function keysOf({ columns, key = [] }: Table, rows: readonly Row[]): readonly Key[] {
  const places = key.map(({ name }) => columns.findIndex((column) => column.name === name));
  return rows.map((row) => places.map((place) => row[place] ?? ""));
}
