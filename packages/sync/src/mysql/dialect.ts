import type { FailoverPool } from "@mirrorpool/core";
import type { CopyStart, Dialect } from "../dialect.ts";
import { numberOf } from "../faults.ts";
import { nameOf, type Range, type Table } from "../model.ts";
import { PATIENT, type Querier } from "../querier.ts";
import { ask, tell } from "./ask.ts";
import { isMariadb, readCatalog, readPlace, readPrimary } from "./catalog.ts";
import { checksum, hashesOfKeys, keyHashes } from "./checksum.ts";
import { readConstraints } from "./definitions.ts";
import { checkForeignKey, findObstacles, makeForeignKey, whyNotMade } from "./foreign-keys.ts";
import { makeIndex } from "./indexes.ts";
import { splitRange, within } from "./keys.ts";
import { findLosses } from "./losses.ts";
import { OwnView, withTicket } from "./own-view.ts";
import { quoteTable } from "./quote.ts";
import { rowSink } from "./row-sink.ts";
import { rowSource } from "./row-source.ts";
import { deleteRows, readRows, writeRows } from "./rows.ts";
import { readSequences, setSequences } from "./sequences.ts";
import { type Flavor, readerSettings, writerSettings } from "./settings.ts";
import { Snapshot } from "./snapshot.ts";
import { state } from "./state.ts";

/** MariaDB 10.6 and later, MySQL 8.0 and later. @param version as the server tells it */
export const mysqlDialect = (version: string): Dialect => (isMariadb(version) ? DIALECTS.mariadb : DIALECTS.mysql);

function createDialect(flavor: Flavor): Dialect {
  return Object.freeze({
    system: "mysql",
    readCatalog,
    readConstraints,
    readPrimary,
    openView: async (pool, on, connections, signal) =>
      withTicket(await Snapshot.open(pool, on, connections, flavor, signal), flavor),
    joinView: async (pool, ticket) => new OwnView(pool, ticket, flavor),
    prepareReader: async (on) => {
      await on.query(readerSettings(flavor), undefined, PATIENT);
    },
    splitRange,
    checksum,
    keyHashes,
    hashesOfKeys,

    readPlace,
    // what fails here fails alone
    guard: (_, work) => work(),
    source: rowSource,
    readRows,
    findLosses,
    readSequences,

    beginLoad: async (on, signal) => {
      const options = { ...PATIENT, signal };
      await on.query(writerSettings(flavor, true), undefined, options);
      // chunks side by side do not lock the gaps between each other's rows
      await on.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", undefined, options);
      await on.query("START TRANSACTION", undefined, options);
    },
    prepareWriter: async (on) => {
      await on.query(writerSettings(flavor, false), undefined, PATIENT);
    },
    // both have the same settings
    asReader: (_, work) => work(),
    sink: rowSink,
    writeRows,
    deleteRows,
    isConflict: (error) => CONFLICTS.has(numberOf(error) ?? 0),
    findFilled,
    deleteRange: (on: Querier, table: Table, range: Range) =>
      tell(on, `DELETE FROM ${quoteTable(table)} WHERE ${within(table, range)}`),
    findHindrances,
    findObstacles,
    // a table is its primary key's index
    findIndexes: async () => [],
    makeIndex: (pool, index, table, signal) => makeIndex(pool, flavor, index, table, signal),
    makeForeignKey: (pool, key, signal) => makeForeignKey(pool, flavor, key, signal),
    whyNotMade,
    beginCopy: (pool, start, signal) => beginCopy(pool, flavor, start, signal),
    // a load does not look at foreign keys, and nothing else is set aside
    setAsideAgain: async () => {},
    bringBack: checkForeignKey,
    setSequences,
    isOrdered: () => false,
    state,
  } satisfies Dialect);
}

const DIALECTS = { mariadb: createDialect("mariadb"), mysql: createDialect("mysql") } as const;

/** Duplicates, foreign keys, NULL and checks. */
const CONFLICTS: ReadonlySet<number> = new Set([1022, 1048, 1062, 1169, 1216, 1217, 1451, 1452, 1586, 3819, 4025]);

/** These statements end a transaction: the job has begun with its row, and each of them may be done again before that. */
async function beginCopy(
  pool: FailoverPool,
  flavor: Flavor,
  { job, plan, stale, emptied }: CopyStart,
  signal: AbortSignal,
): Promise<void> {
  const session = await pool.connect({ signal });
  try {
    await state.prepare(session);
    await session.query(writerSettings(flavor, true), undefined, { signal });
    for (const table of emptied) await tell(session, `TRUNCATE TABLE ${quoteTable(table)}`, [], signal);
  } finally {
    session.release();
  }
  const begin = async (on: Querier): Promise<void> => {
    await state.begin(on, job, "copy", plan);
    if (stale > 0) await state.markStale(on, job, stale);
  };
  await pool.transaction(begin, { ...PATIENT, signal });
}

async function findFilled(on: Querier, tables: readonly Table[]): Promise<readonly Table[]> {
  const filled: Table[] = [];
  for (const table of tables) {
    const [row] = await ask<{ found: string }>(on, `SELECT EXISTS (SELECT 1 FROM ${quoteTable(table)}) AS found`);
    if (row?.found === "1") filled.push(table);
  }
  return filled;
}

const TRIGGERS = `SELECT EVENT_OBJECT_TABLE AS \`table\`, TRIGGER_NAME AS name FROM information_schema.TRIGGERS
  WHERE EVENT_OBJECT_SCHEMA = DATABASE() AND EVENT_MANIPULATION IN ('INSERT', 'DELETE')`;
const ENGINES = `SELECT TABLE_NAME AS \`table\`, ENGINE AS engine FROM information_schema.TABLES
  WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND ENGINE <> 'InnoDB'`;

/** Triggers, which nobody can set aside here, and tables whose rows no transaction keeps together. */
async function findHindrances(
  on: Querier,
  tables: readonly Table[],
): Promise<readonly { readonly table: string; readonly reason: string }[]> {
  const byName = new Map(tables.map((table) => [table.name, nameOf(table)]));
  const triggers = await ask<{ table: string; name: string }>(on, TRIGGERS);
  const engines = await ask<{ table: string; engine: string }>(on, ENGINES);
  const found = [
    ...triggers.map(({ table, name }) => {
      const reason = `its trigger ${name} on the target would do again what it has done on the source. Drop it, and make it again afterwards`;
      return { name: table, reason };
    }),
    ...engines.map(({ table, engine }) => {
      const reason = `the target keeps it in ${engine}, where a chunk cannot be written as a whole: use InnoDB`;
      return { name: table, reason };
    }),
  ];
  return found.flatMap(({ name, reason }) => {
    const table = byName.get(name);
    return table === undefined ? [] : [{ table, reason }];
  });
}
