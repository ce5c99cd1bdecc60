import type { Column, Key, Row, Table } from "../model.ts";
import { ask, type Querier, tell } from "../querier.ts";
import { byKeys } from "./checksum.ts";
import { rowsOf } from "./keys.ts";
import { quoteName, quoteTable } from "./quote.ts";
import { textOf } from "./text-of.ts";

/** Rows by their keys, in no order. Those that are not there are left out. */
export async function readRows(
  on: Querier,
  table: Table,
  keys: readonly Key[],
  signal: AbortSignal | undefined,
): Promise<readonly Row[]> {
  const { text, values } = byKeys(table, keys);
  const columns = table.columns.map(textOf).join(", ");
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

/** Adds rows; those whose key is there already are left out. Returns how many were added. */
export async function insertRows(
  on: Querier,
  table: Table,
  rows: readonly Row[],
  signal: AbortSignal | undefined,
): Promise<number> {
  const key = (table.key ?? []).map(({ name }) => quoteName(name)).join(", ");
  return rows.length === 0 ? 0 : insert(on, table, rows, `ON CONFLICT (${key}) DO NOTHING`, signal);
}

async function insert(
  on: Querier,
  table: Table,
  rows: readonly Row[],
  conflict: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { columns } = table;
  const names = columns.map(({ name }) => quoteName(name)).join(", ");
  const values = columns.map(({ type }, index) => `r.c${index}::${type}`).join(", ");
  const arrays = columns.map((_, index) => `$${index + 1}::text[]`).join(", ");
  const aliases = columns.map((_, index) => `c${index}`).join(", ");
  const text = `INSERT INTO ${quoteTable(table)} (${names}) OVERRIDING SYSTEM VALUE
    SELECT ${values} FROM unnest(${arrays}) AS r(${aliases}) ${conflict}`;
  return tell(
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

/**
 * Changes rows that are there, by their keys as they were. Returns how many were.
 * @param rows all with values for the same columns; undefined leaves a value as it is
 */
export function updateRows(
  on: Querier,
  table: Table,
  keys: readonly Key[],
  rows: readonly (readonly (string | null | undefined)[])[],
  signal: AbortSignal | undefined,
): Promise<number> {
  const { columns, key = [] } = table;
  const [first = []] = rows;
  const places = columns.flatMap((column, place) => (first[place] === undefined || column.isAlways ? [] : [place]));
  const names = (letter: string, count: number): readonly string[] =>
    Array.from({ length: count }, (_, index) => `${letter}${index}`);
  const aliases = [...names("k", key.length), ...names("c", places.length)];
  const arrays = aliases.map((_, index) => `$${index + 1}::text[]`).join(", ");
  const values = [
    ...key.map((_, index) => keys.map((each) => each[index] ?? "")),
    ...places.map((place) => rows.map((row) => row[place] ?? null)),
  ];
  const columnOf = (place: number): Column => columns[place] as Column; // places are of these columns
  const updates = places.map(
    (place, index) => `${quoteName(columnOf(place).name)} = r.c${index}::${columnOf(place).type}`,
  );
  // a table that is all key has nothing to change, and is asked whether the row is there
  if (updates.length === 0) updates.push(...key.map(({ name }) => `${quoteName(name)} = t.${quoteName(name)}`));
  const matches = key.map(({ name, type }, index) => `t.${quoteName(name)} = r.k${index}::${type}`).join(" AND ");
  const only = table.isPartitioned ? "" : "ONLY ";
  const text = `UPDATE ${only}${quoteTable(table)} AS t SET ${updates.join(", ")} FROM unnest(${arrays}) AS r(${aliases.join(", ")}) WHERE ${matches}`;
  return tell(on, text, values, signal);
}
