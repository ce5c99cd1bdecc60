import type { Checksum, Column, Range, Table } from "../model.ts";
import { ask, type Querier } from "../querier.ts";
import { rowsOf, within } from "./keys.ts";
import { quoteName } from "./quote.ts";
import { hashedText, sha256, textOf } from "./text-of.ts";

/** A value of its own, or its text where equal values may look different. */
const hashed = ({ name, isPlain }: Column): string => (isPlain ? quoteName(name) : `${quoteName(name)}::text`);

/**
 * 64 bits for each row; all columns, in the given order. By the server's own hash functions, which are the same in all versions from
 * 14 on, since partitions by hash depend on them; where another system has to come to the same, by SHA-256.
 */
function rowHash(columns: readonly Column[]): string {
  if (columns.length === 0) return "0::int8";
  if (columns.some(({ form }) => form !== undefined))
    return `('x' || left(${sha256(`convert_to(concat_ws(',', ${columns.map(hashedText).join(", ")}), 'UTF8')`)}, 16))::bit(64)::int8`;
  return `hash_record_extended(ROW(${columns.map(hashed).join(", ")}), 0)`;
}

/**
 * A sum of what are whole numbers of 64 bits: unlike with XOR two equal rows do not cancel each other out.
 */
export async function checksum(
  on: Querier,
  table: Table,
  range: Range,
  signal: AbortSignal | undefined,
): Promise<Checksum> {
  const low = "coalesce(sum(hash & 4294967295), 0)";
  const high = "coalesce(sum((hash >> 32) & 4294967295), 0)";
  const text = `
    SELECT count(*)::text AS rows, (${low} + ${high} * 4294967296)::text AS sum
    FROM (SELECT ${rowHash(table.columns)} AS hash FROM ${rowsOf(table)} WHERE ${within(table, range)}) AS hashed`;
  const [row] = await ask<{ rows: string; sum: string }>(on, text, [], signal);
  return { rows: Number(row?.rows), sum: row?.sum ?? "" };
}

/** The hash of each row of a range, by the key as JSON text. For ranges that are known to be small. */
export async function keyHashes(
  on: Querier,
  table: Table,
  range: Range,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const text = `
    SELECT ${jsonKey(table)} AS key, ${rowHash(table.columns)}::text AS hash
    FROM ${rowsOf(table)} WHERE ${within(table, range)}`;
  const rows = await ask<{ key: string; hash: string }>(on, text, [], signal);
  return byKey(rows);
}

const byKey = (rows: readonly { readonly key: string; readonly hash: string }[]): ReadonlyMap<string, string> =>
  new Map(rows.map(({ key, hash }) => [JSON.stringify(JSON.parse(key)), BigInt.asUintN(64, BigInt(hash)).toString()]));

/** The key of a row as JSON. */
const jsonKey = ({ key = [] }: Table): string => `to_json(ARRAY[${key.map(textOf).join(", ")}])::text`;

/** The same for rows given by their keys. */
export async function hashesOfKeys(
  on: Querier,
  table: Table,
  keys: readonly (readonly string[])[],
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  const { text, values } = byKeys(table, keys);
  const statement = `SELECT ${jsonKey(table)} AS key, ${rowHash(table.columns)}::text AS hash FROM ${rowsOf(table)} WHERE ${text}`;
  const rows = await ask<{ key: string; hash: string }>(on, statement, values, signal);
  return byKey(rows);
}

/** The condition that a row is one of these, with one array of texts for each column of the key. */
export function byKeys(
  { key = [] }: Table,
  keys: readonly (readonly string[])[],
  first: number = 1,
): { readonly text: string; readonly values: readonly (readonly string[])[] } {
  const names = key.map(({ name }) => quoteName(name)).join(", ");
  const arrays = key.map((_, index) => `$${first + index}::text[]`).join(", ");
  const wanted = key.map(({ type }, index) => `wanted.c${index}::${type}`).join(", ");
  const aliases = key.map((_, index) => `c${index}`).join(", ");
  return {
    text: `(${names}) IN (SELECT ${wanted} FROM unnest(${arrays}) AS wanted(${aliases}))`,
    values: key.map((_, index) => keys.map((each) => each[index] ?? "")),
  };
}
