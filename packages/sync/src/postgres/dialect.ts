import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import { copyIn, copyOut } from "@mirrorpool/pg";
import type { CopyStart, Dialect, RowForm } from "../dialect.ts";
import { codeOf } from "../faults.ts";
import { MARK } from "../mark.ts";
import { type Catalog, isIndex, type Range, type SetAside, type Table } from "../model.ts";
import type { Pair } from "../pair-tables.ts";
import { ask, PATIENT, type Querier, tell } from "../querier.ts";
import { readCatalog, readPlace, readPrimary } from "./catalog.ts";
import { checksum, hashesOfKeys, keyHashes } from "./checksum.ts";
import { findObstacles, isAway, makeForeignKey, whyNotMade } from "./constraints.ts";
import { readConstraints } from "./definitions.ts";
import { findIndexes, isIndexAway, makeIndex } from "./indexes.ts";
import { rowsOf, splitRange, within } from "./keys.ts";
import { findLosses } from "./losses.ts";
import { quoteName, quoteTable } from "./quote.ts";
import { deleteRows, readRows, writeRows } from "./rows.ts";
import { readSequences, setSequences } from "./sequences.ts";
import { joinSnapshot, READER_SETTINGS, Snapshot } from "./snapshot.ts";
import { state } from "./state.ts";
import { copied } from "./text-of.ts";

/** Settings of a transaction that writes, each for that transaction alone. */
export const WRITER_SETTINGS: readonly string[] = [
  "SET LOCAL DateStyle = 'ISO, YMD'",
  "SET LOCAL IntervalStyle = 'postgres'",
  "SET LOCAL TimeZone = 'UTC'",
  "SET LOCAL lc_monetary = 'C'",
  "SET LOCAL xmloption = 'content'",
  "SET LOCAL row_security = off",
  "SET LOCAL statement_timeout = 0",
  "SET LOCAL idle_in_transaction_session_timeout = 0",
  // a crash loses rows and checkpoint together, and what is lost is looked for at the end
  "SET LOCAL synchronous_commit = off",
];

/** PostgreSQL 14 and later. */
export const postgresDialect: Dialect = Object.freeze({
  system: "postgres",
  readCatalog,
  readConstraints,
  readPrimary,
  openView: (pool, on, _, signal) => Snapshot.open(pool, on, signal),
  joinView: joinSnapshot,
  prepareReader: async (on) => {
    await tell(on, READER_SETTINGS.join("; "));
  },
  splitRange,
  checksum,
  keyHashes,
  hashesOfKeys,

  readPlace,
  guard,
  source: (on, table, range, form) => {
    const columns = table.columns.map(copied).join(", ");
    const select = `SELECT ${columns} FROM ${rowsOf(table)} WHERE ${within(table, range)}`;
    return copyOut(on, `COPY (${select}) TO STDOUT (FORMAT ${FORMATS[form]})`, form === "text");
  },
  readRows,
  findLosses,
  readSequences,

  beginLoad: async (on, signal) => {
    await tell(on, "BEGIN", [], signal);
    await tell(on, WRITER_SETTINGS.join("; "), [], signal);
  },
  prepareWriter: async (on) => {
    await tell(on, WRITER_SETTINGS.join("; "));
  },
  asReader: async (on, work, signal) => {
    await tell(on, MARK.set, [], signal);
    await tell(on, READER_SETTINGS.join("; "), [], signal);
    const result = await work();
    await tell(on, MARK.goBack, [], signal);
    return result;
  },
  sink: (on, table, columns, form) => {
    const names = columns.map(quoteName).join(", ");
    const text = `COPY ${quoteTable(table)} (${names}) FROM STDIN (FORMAT ${FORMATS[form]})`;
    return copyIn(on, text, form === "text");
  },
  writeRows,
  deleteRows,
  // class 23: integrity constraint violation
  isConflict: (error) => codeOf(error)?.startsWith("23") === true,
  findFilled,
  deleteRange: (on: Querier, table: Table, range: Range) =>
    tell(on, `DELETE FROM ${rowsOf(table)} WHERE ${within(table, range)}`),
  findHindrances: async () => [],
  findObstacles,
  findIndexes,
  makeIndex,
  makeForeignKey,
  whyNotMade,
  beginCopy,
  setAsideAgain: async (pool, setAside, signal) => {
    const again = async (on: Querier): Promise<void> => {
      // to make an index of all rows once more costs more than a few rows do
      for (const each of setAside) if (!isIndex(each) && !(await isAway(on, each))) await tell(on, each.remove);
    };
    await pool.transaction(again, { ...PATIENT, signal });
  },
  bringBack,
  setSequences,
  isOrdered: (tables) => tables.some(({ isOwned }) => !isOwned),
  state,
} satisfies Dialect);

const FORMATS: Readonly<Record<RowForm, string>> = { "pg-binary": "binary", "pg-text": "text", text: "text" };

/** In which form rows go to another PostgreSQL: the binary forms of two major versions are not promised to be the same. Pure. */
export function postgresForm(from: Catalog, to: Catalog, { source, target }: Pair): RowForm {
  const isSame = source.columns.every(({ name, type, isPortable }) => {
    const other = target.columns.find((each) => each.name === name);
    return isPortable && other?.type === type && other.isPortable;
  });
  return isSame && from.major === to.major ? "pg-binary" : "pg-text";
}

async function guard<T>(reader: ReservedConnection, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  await reader.query(MARK.set, undefined, { ...PATIENT, signal });
  try {
    const result = await work();
    // going back lets go of the tables that were read: the server has room for some thousand locks
    await reader.query(`${MARK.goBack}; ${MARK.remove}`, undefined, { ...PATIENT, signal });
    return result;
  } catch (error) {
    await reader.query(MARK.goBack).catch(() => reader.release()); // it is of no use then
    throw error;
  }
}

/** In one transaction with all that the job changes before its first row. */
async function beginCopy(pool: FailoverPool, start: CopyStart, signal: AbortSignal): Promise<void> {
  const { job, plan, setAside, stale, emptied } = start;
  const begin = async (on: Querier): Promise<void> => {
    await state.prepare(on);
    await state.begin(on, job, "copy", plan);
    for (const { remove } of setAside) await tell(on, remove);
    if (stale > 0) await state.markStale(on, job, stale);
    if (emptied.length > 0) await tell(on, `TRUNCATE TABLE ${emptied.map(quoteTable).join(", ")}`);
  };
  await pool.transaction(begin, { ...PATIENT, signal });
}

async function bringBack(pool: FailoverPool, obstacle: SetAside, signal: AbortSignal): Promise<void> {
  if (isIndex(obstacle)) {
    const make = async (on: Querier): Promise<void> => {
      await tell(on, "SET LOCAL statement_timeout = 0");
      if (await isIndexAway(on, obstacle)) await tell(on, obstacle.restore, [], signal);
    };
    await pool.transaction(make, { ...PATIENT, signal });
  } else if (await isAway(pool, obstacle)) await tell(pool, obstacle.restore, [], signal);
}

/** Tables that are asked for in one statement. */
const BATCH = 200;

async function findFilled(on: Querier, tables: readonly Table[]): Promise<readonly Table[]> {
  const filled: Table[] = [];
  for (let first = 0; first < tables.length; first += BATCH) {
    const batch = tables.slice(first, first + BATCH);
    const parts = batch.map((table, index) => `SELECT '${index}' AS place WHERE EXISTS (SELECT FROM ${rowsOf(table)})`);
    const rows = await ask<{ place: string }>(on, parts.join(" UNION ALL "));
    filled.push(...rows.map(({ place }) => batch[Number(place)] as Table));
  }
  return filled;
}

/** Whether this is a PostgreSQL, which the name of its version tells. */
export const isPostgres = (version: string): boolean => version.startsWith("PostgreSQL ");
