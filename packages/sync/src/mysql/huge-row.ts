import { JobError } from "../errors.ts";
import { type Key, nameOf, type Table } from "../model.ts";
import { PATIENT, type Querier } from "../querier.ts";
import type { Field } from "./ask.ts";
import { byKeys } from "./keys.ts";
import { beginningOf, shown } from "./long-line.ts";
import { quoteTable } from "./quote.ts";
import { isLong, type LongField, longRows } from "./text-of.ts";

/** So much of a value is asked for at once: less than one packet of the protocol. */
const PART_BYTES = 16_000_000;

const TAB = Buffer.from("\t");
const NULL = Buffer.from("\\N");

const asBytes = (field: Field): Buffer | null => field.buffer();

/**
 * Writes a row as a line of COPY's text, without its end, in bounded memory whatever it is long: each long value part by part, by statements
 * of their own. In the view that has told its key.
 */
export async function writeHugeRow(
  on: Querier,
  table: Table,
  key: Key,
  write: (part: Buffer) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { columns } = table;
  const fields = longRows(columns)?.fields ?? [];
  const longs = columns.map(({ neutral }) => isLong(neutral));
  const from = `FROM ${quoteTable(table)} WHERE ${byKeys(table, [key])}`;
  const ask = async (what: readonly string[]): Promise<readonly (Buffer | null)[]> => {
    const options = { rowsAsArray: true, nestTables: false, typeCast: asBytes };
    const text = `SELECT ${what.join(", ")} ${from}`;
    const { rows } = await on.query({ text, values: [], ...options }, undefined, { ...PATIENT, signal });
    const [row] = rows as readonly unknown[] as readonly (readonly (Buffer | null)[])[]; // so it is asked for
    if (row !== undefined) return row;
    throw new JobError("CHUNK_FAILED", `${nameOf(table)} has lost a row while it was read`, { resumable: true });
  };
  const bytesOf = (what: LongField, text: string): string => (what === "bytes" ? text : `CAST(${text} AS BINARY)`);
  const head = await ask(
    fields.map(({ what, text }, place) => (longs[place] === true ? `LENGTH(${bytesOf(what, text)})` : text)),
  );
  for (const [place, { what, text }] of fields.entries()) {
    if (place > 0) await write(TAB);
    const value = head[place] ?? null;
    if (value === null) {
      await write(NULL);
      continue;
    }
    await write(beginningOf(what));
    if (longs[place] !== true) for (const slice of shown(value, what)) await write(slice);
    const length = longs[place] === true ? Number(value) : 0;
    for (let at = 0; at < length; at += PART_BYTES) {
      const [part] = await ask([`SUBSTRING(${bytesOf(what, text)}, ${at + 1}, ${PART_BYTES})`]);
      if (part === null || part === undefined) throw tooLong(table);
      for (const slice of shown(part, what)) await write(slice);
    }
  }
}

export const tooLong = (table: Table): JobError =>
  new JobError(
    "CHUNK_FAILED",
    `${nameOf(table)} has a row that is longer than max_allowed_packet of the source: raise that there`,
    { resumable: true },
  );
