import type { Checksum, Column, Key, Range, Table } from "../model.ts";
import type { Querier } from "../querier.ts";
import { ask, askRows } from "./ask.ts";
import { byKeys, within } from "./keys.ts";
import { quoteTable } from "./quote.ts";
import { hashedText, textOf } from "./text-of.ts";

/** 64 bits for each row: the first of the SHA-256 of its texts, as PostgreSQL computes it where the other side is no PostgreSQL. */
const rowHash = (columns: readonly Column[]): string =>
  `CAST(CONV(LEFT(SHA2(CONCAT_WS(',', ${columns.map(hashedText).join(", ")}), 256), 16), 16, 10) AS UNSIGNED)`;

/** A sum: unlike with XOR two equal rows do not cancel each other out. */
export async function checksum(
  on: Querier,
  table: Table,
  range: Range,
  signal: AbortSignal | undefined,
): Promise<Checksum> {
  const text = `SELECT COUNT(*) AS \`rows\`, COALESCE(SUM(${rowHash(table.columns)}), 0) AS sum
    FROM ${quoteTable(table)} WHERE ${within(table, range)}`;
  const [row] = await ask<{ rows: string; sum: string }>(on, text, [], signal);
  return { rows: Number(row?.rows), sum: row?.sum ?? "" };
}

/** The hash of each row of a range, by the key as JSON. For ranges that are known to be small. */
export const keyHashes = (
  on: Querier,
  table: Table,
  range: Range,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> => hashesWhere(on, table, within(table, range), signal);

/** The same for rows given by their keys. */
export const hashesOfKeys = (
  on: Querier,
  table: Table,
  keys: readonly Key[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> => hashesWhere(on, table, byKeys(table, keys), signal);

async function hashesWhere(
  on: Querier,
  table: Table,
  condition: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const { columns, key = [] } = table;
  const texts = [...key.map(textOf), rowHash(columns)].join(", ");
  const rows = await askRows(on, `SELECT ${texts} FROM ${quoteTable(table)} WHERE ${condition}`, signal);
  return new Map(rows.map((row) => [JSON.stringify(row.slice(0, -1)), row.at(-1) ?? ""]));
}
