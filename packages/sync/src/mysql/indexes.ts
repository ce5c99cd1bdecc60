import type { FailoverPool } from "@mirrorpool/core";
import { numberOf } from "../faults.ts";
import type { Index, Table } from "../model.ts";
import { tell } from "./ask.ts";
import { quoteName, quoteTable } from "./quote.ts";

const EXISTS = 1061;

/** Of a column without a bound so many characters, or bytes, are looked up by: indexes have room for some hundred. */
const PREFIX = 191;
const UNBOUNDED = /^(?:tiny|medium|long)?(?:text|blob)\b/i;

/** One that a table of another system has, over the rows that are there. */
export async function makeIndex(pool: FailoverPool, index: Index, table: Table, signal: AbortSignal): Promise<void> {
  const { name, columns, isUnique } = index;
  const unbounded = new Set(table.columns.filter(({ type }) => UNBOUNDED.test(type)).map((column) => column.name));
  if (isUnique && columns.some((column) => unbounded.has(column)))
    throw new Error("one of its columns has no bound, and no unique index there");
  const parts = columns.map((column) => `${quoteName(column)}${unbounded.has(column) ? `(${PREFIX})` : ""}`);
  const kind = isUnique ? "UNIQUE INDEX" : "INDEX";
  try {
    const text = `ALTER TABLE ${quoteTable(table)} ADD ${kind} ${quoteName(name)} (${parts.join(", ")})`;
    await tell(pool, text, [], signal);
  } catch (error) {
    if (numberOf(error) !== EXISTS) throw error;
  }
}
