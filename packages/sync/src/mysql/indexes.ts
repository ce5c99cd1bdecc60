import type { FailoverPool } from "@mirrorpool/core";
import { numberOf } from "../faults.ts";
import type { Index, Table } from "../model.ts";
import { CHARACTER_BYTES, keyBytes, MOST_KEY_BYTES } from "../types/key-bytes.ts";
import { tell } from "./ask.ts";
import { quoteName, quoteTable } from "./quote.ts";
import { type Flavor, writerSettings } from "./settings.ts";

const NAME_IS_TAKEN = 1061;

/** So many characters of a value without a bound are looked up by. */
const PREFIX = 191;
const UNBOUNDED = /^(?:tiny|medium|long)?(?:text|blob)\b/i;

/** One that a table of another system has, over the rows that are there. */
export async function makeIndex(
  pool: FailoverPool,
  flavor: Flavor,
  { name, columns, isUnique }: Index,
  table: Table,
  signal: AbortSignal,
): Promise<void> {
  const list = isUnique ? columns.map(quoteName) : withPrefixes(columns, table);
  const text = (called: string): string =>
    `ALTER TABLE ${quoteTable(table)} ADD ${isUnique ? "UNIQUE INDEX" : "INDEX"} ${called} (${list.join(", ")})`;
  const session = await pool.connect({ signal });
  try {
    await tell(session, writerSettings(flavor, false), [], signal);
    try {
      await tell(session, text(quoteName(name)), [], signal);
    } catch (error) {
      if (numberOf(error) !== NAME_IS_TAKEN) throw error;
      await tell(session, text(""), [], signal); // the server finds one
    }
  } finally {
    session.release();
  }
}

/** Of values that a key has no room for, the beginnings. Pure. */
function withPrefixes(columns: readonly string[], table: Table): readonly string[] {
  const sizes = columns.map((name) => {
    const column = table.columns.find((each) => each.name === name);
    const bytes = column === undefined || UNBOUNDED.test(column.type) ? undefined : keyBytes(column.neutral);
    return { name, bytes: bytes ?? Number.POSITIVE_INFINITY };
  });
  const isLong = sizes.reduce((sum, { bytes }) => sum + bytes, 0) > MOST_KEY_BYTES;
  const share = Math.min(PREFIX, Math.floor(MOST_KEY_BYTES / CHARACTER_BYTES / columns.length));
  return sizes.map(({ name, bytes }) => {
    const isCut = isLong && bytes > CHARACTER_BYTES * share;
    return `${quoteName(name)}${isCut ? `(${share})` : ""}`;
  });
}
