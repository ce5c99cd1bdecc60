import { copyIn, copyOut } from "@mirrorpool/pg";
import type { Dialect, RowForm } from "../dialect.ts";
import { codeOf } from "../faults.ts";
import type { Range, Table } from "../model.ts";
import { ask, PATIENT, type Querier, tell } from "../querier.ts";
import { readCatalog, readPrimary } from "./catalog.ts";
import { checksum, hashesOfKeys, keyHashes } from "./checksum.ts";
import { findObstacles, isAway } from "./constraints.ts";
import { rowsOf, splitRange, within } from "./keys.ts";
import { quoteName, quoteTable } from "./quote.ts";
import { deleteRows, readRows, writeRows } from "./rows.ts";
import { setSequences } from "./sequences.ts";
import { READER_SETTINGS, Snapshot } from "./snapshot.ts";
import {
  beginJob,
  claimChunk,
  finishJob,
  loadChunks,
  loadJob,
  markStale,
  nextGeneration,
  noteChunk,
  prepareState,
  STATE_TABLES,
} from "./state.ts";

/** PostgreSQL 14 and later. */
export const postgresDialect: Dialect = Object.freeze({
  system: "postgres",
  readCatalog,
  readPrimary,
  openView: Snapshot.open,
  readerSettings: READER_SETTINGS,
  writerSettings: [
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
  ],
  mark: {
    set: "SAVEPOINT mirrorpool_chunk",
    goBack: "ROLLBACK TO SAVEPOINT mirrorpool_chunk",
    remove: "RELEASE SAVEPOINT mirrorpool_chunk",
  },
  splitRange,
  // the binary forms of two major versions are not promised to be the same
  formFor: (from, to, table, target) => {
    const isSame = table.columns.every(({ name, type, isPortable }) => {
      const other = target.columns.find((each) => each.name === name);
      return isPortable && other?.type === type && other.isPortable;
    });
    return isSame && from.major === to.major ? "pg-binary" : "pg-text";
  },
  source: (on, table, range, form) => {
    const columns = table.columns.map(({ name }) => quoteName(name)).join(", ");
    const select = `SELECT ${columns} FROM ${rowsOf(table)} WHERE ${within(table, range)}`;
    return copyOut(on, `COPY (${select}) TO STDOUT (FORMAT ${FORMATS[form]})`);
  },
  sink: (on, table, columns, form) => {
    const names = columns.map(quoteName).join(", ");
    return copyIn(on, `COPY ${quoteTable(table)} (${names}) FROM STDIN (FORMAT ${FORMATS[form]})`);
  },
  checksum,
  keyHashes,
  hashesOfKeys,
  readRows,
  writeRows,
  deleteRows,
  // class 23: integrity constraint violation
  isConflict: (error) => codeOf(error)?.startsWith("23") === true,
  findFilled,
  truncate: async (on, tables) => {
    if (tables.length > 0) await tell(on, `TRUNCATE TABLE ${tables.map(quoteTable).join(", ")}`);
  },
  deleteRange: (on: Querier, table: Table, range: Range) =>
    tell(on, `DELETE FROM ${rowsOf(table)} WHERE ${within(table, range)}`),
  findObstacles,
  isAway,
  setSequences,
  state: {
    tables: STATE_TABLES,
    prepare: prepareState,
    load: loadJob,
    begin: beginJob,
    markStale,
    nextGeneration,
    finish: finishJob,
    loadChunks,
    claimChunk,
    noteChunk,
  },
} satisfies Dialect);

const FORMATS: Readonly<Record<RowForm, string>> = { "pg-binary": "binary", "pg-text": "text" };

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
export async function isPostgres(on: Querier): Promise<boolean> {
  const { rows } = await on.query<{ version: string }>("SELECT version() AS version", [], PATIENT);
  return rows[0]?.version.startsWith("PostgreSQL ") === true;
}
