import type { ReservedConnection } from "@mirrorpool/core";
import { BackupError } from "../errors.ts";
import { DATA, type Manifest, type QualifiedName } from "../format/manifest.ts";
import type { OpenedBackup } from "../format/repository.ts";
import { showTable } from "../table-names.ts";
import { chosenChunks, chosenTables, type Phase, type RestorePlan, readText } from "../target/phases.ts";
import { smallBatches } from "../target/small-batches.ts";
import type { Step } from "../target/target.ts";
import { inParallel } from "../tasks.ts";
import { type PostStatement, statementsOf, toPostStatements, unquoteTable } from "./definitions.ts";
import { MARK } from "./mark-name.ts";
import { quoteTable, quoteText } from "./quote.ts";
import { relax, tighten } from "./relax.ts";

const FOREVER = { timeoutMs: Number.POSITIVE_INFINITY } as const;

/** Tables as they are to be for the rows to come: made, or those that are there without foreign keys and triggers. */
export async function prepare({ target, backup, plan, signal }: Phase): Promise<void> {
  const { schema } = backup.manifest;
  if (plan.withDefinitions && schema.isIncluded) {
    const statements = statementsOf(await readText(backup, schema.before, signal), plan.withOwners);
    await target.step("before", "the definitions before the data", signal, async (connection) => {
      await connection.query("SET LOCAL search_path TO ''");
      // each round trip takes as long as a table does
      for (const texts of smallBatches(statements, () => 0)) await connection.query(texts.join(";\n"), [], FOREVER);
    });
    return;
  }
  const tables = chosenTables(backup.manifest, plan);
  await target.step("before", "preparing the tables", signal, async (connection) => {
    await relax(connection, tables);
    if (plan.existing === "replace" && tables.length > 0) await truncate(connection, plan);
  });
}

export async function truncate(connection: ReservedConnection, { names }: Pick<RestorePlan, "names">): Promise<void> {
  await connection.query(`TRUNCATE ${names.map((name) => `ONLY ${name}`).join(", ")}`, [], FOREVER);
}

/**
 * In the transaction that puts keys and triggers back: a failover may have taken chunks back while others went on, and those have to
 * come before. Where this has held, every node that has the transaction has the chunks as well.
 */
async function requireChunks(
  connection: ReservedConnection,
  { manifest }: OpenedBackup,
  plan: RestorePlan,
): Promise<void> {
  // counted, and not looked up by their names: this is asked again and again, and there may be ten thousand
  const sql = `SELECT count(*)::int AS count FROM ${MARK}.step WHERE name LIKE '${DATA}%'`;
  const { rows } = await connection.query<{ count: number }>(sql);
  if (rows[0]?.count === chosenChunks(manifest, plan).length) return;
  throw new BackupError("TARGET_LOST", "a failover took rows back that had been restored", { retryable: true });
}

/** For all indexes that are made at a time; the server's own 64 MB would do for one of a million rows. */
const BUILD_KIB = 512 * 1024;
/** As text. An index of less is sorted in memory; workers of the server would take longer to come and to exchange what they have. */
const ALONE_BYTES = 1024 ** 3;

/** For the transaction alone, and never less than what the server gives. */
const BUILD = `
SELECT set_config(name, CASE name WHEN 'maintenance_work_mem' THEN greatest(setting::int8, $1::int8) ELSE 0 END::text, true)
  FROM pg_catalog.pg_settings WHERE name = 'maintenance_work_mem' OR (name = 'max_parallel_maintenance_workers' AND $2)`;

/** A statement, and its place among them. */
type Placed = readonly [place: number, statement: PostStatement];

/** Indexes and keys, at the same time for different tables, the biggest first; then all that needs them, in its order. */
async function makeLater(phase: Phase, statements: readonly PostStatement[]): Promise<void> {
  const { target, backup, plan, jobs, signal } = phase;
  const { manifest } = backup;
  const bytes = bytesByTable(manifest);
  const bytesOf = (written: string | undefined): number =>
    written === undefined ? 0 : (bytes.get(JSON.stringify(unquoteTable(written))) ?? 0);
  const run = async (batch: readonly Placed[], stop: AbortSignal | undefined): Promise<void> => {
    const steps = batch.map(([place, { text }]): Step => {
      const work = async (connection: ReservedConnection): Promise<void> => {
        await connection.query(text, [], FOREVER);
      };
      return { name: `after ${place}`, subject: firstLine(text), work };
    });
    const largest = Math.max(...batch.map(([, { table }]) => bytesOf(table)));
    await target.steps(steps, stop, async (connection) => {
      await requireChunks(connection, backup, plan);
      await connection.query(BUILD, [Math.floor(BUILD_KIB / jobs), largest < ALONE_BYTES]);
    });
  };
  const placed = statements.map((statement, place): Placed => [place, statement]);
  const byTable = new Map<string, Placed[]>();
  for (const each of placed) {
    const [, { table = "", isIndex }] = each;
    if (isIndex) byTable.set(table, [...(byTable.get(table) ?? []), each]);
  }
  const tables = [...byTable].sort(([one], [other]) => bytesOf(other) - bytesOf(one));
  await inParallel(
    smallBatches(tables, ([table]) => bytesOf(table)),
    jobs,
    signal,
    async (batch, stop) => {
      const statements = batch.flatMap(([, each]) => each);
      // several of one big table are still a transaction each
      for (const part of smallBatches(statements, ([, { table }]) => bytesOf(table))) await run(part, stop);
    },
  );
  const others = placed.filter(([, { isIndex }]) => !isIndex);
  for (const batch of smallBatches(others, ([, { table }]) => bytesOf(table))) await run(batch, signal);
}

function bytesByTable({ tables, chunks }: Manifest): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>();
  for (const chunk of chunks) {
    const { schema, name } = tables[chunk.table] ?? { schema: "", name: "" };
    const key = JSON.stringify({ schema, name });
    bytes.set(key, (bytes.get(key) ?? 0) + chunk.bytes);
  }
  return bytes;
}

/** All that follows the rows. */
export async function finish(phase: Phase): Promise<void> {
  const { target, backup, plan, jobs, meter, signal } = phase;
  const { manifest } = backup;
  meter.enter("index");
  if (plan.withDefinitions && manifest.schema.isIncluded) {
    const sql = await readText(backup, manifest.schema.after, signal);
    await makeLater(phase, toPostStatements(statementsOf(sql, plan.withOwners)));
  } else {
    await target.step("after", "putting foreign keys and triggers back", signal, async (connection) => {
      await requireChunks(connection, backup, plan);
      await tighten(connection);
    });
  }
  await setSequences(phase);
  await refreshViews(phase);
  const bytes = bytesByTable(manifest);
  const sized = chosenTables(manifest, plan).map(({ schema, name }): [QualifiedName, number] => {
    return [{ schema, name }, bytes.get(JSON.stringify({ schema, name })) ?? 0];
  });
  sized.sort(([, one], [, other]) => other - one);
  await inParallel(
    smallBatches(sized, ([, size]) => size),
    jobs,
    signal,
    async (batch, stop) => {
      await target.ask(`ANALYZE ${batch.map(([table]) => quoteTable(table)).join(", ")}`, [], stop);
    },
  );
}

/** Where only tables were chosen, the sequences that belong to them. */
const OWNED = `
SELECT ns.nspname AS schema, c.relname AS name
  FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS ns ON ns.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_depend AS d ON d.objid = c.oid AND d.classid = 'pg_catalog.pg_class'::regclass
        AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
  LEFT JOIN pg_catalog.pg_class AS owner ON owner.oid = d.refobjid
  LEFT JOIN pg_catalog.pg_namespace AS ownerns ON ownerns.oid = owner.relnamespace
 WHERE c.relkind = 'S' AND ($3 OR (ownerns.nspname, owner.relname) IN (SELECT * FROM unnest($1::text[], $2::text[])))`;

/** So many in one statement. */
const BATCH = 200;

async function setSequences({ target, backup, plan, signal }: Phase): Promise<void> {
  const { manifest } = backup;
  const tables = chosenTables(manifest, plan);
  const isWhole = tables.length === manifest.tables.length;
  const there = await target.ask<{ schema: string; name: string }>(
    OWNED,
    [tables.map(({ schema }) => schema), tables.map(({ name }) => name), isWhole],
    signal,
  );
  const known = new Set(there.map(({ schema, name }) => JSON.stringify([schema, name])));
  const wanted = manifest.sequences.filter(({ schema, name }) => known.has(JSON.stringify([schema, name])));
  for (let start = 0; start < wanted.length; start += BATCH) {
    const calls = wanted.slice(start, start + BATCH).map((sequence) => {
      const name = quoteText(quoteTable(sequence));
      return `pg_catalog.setval(${name}::regclass, ${quoteText(sequence.lastValue)}::bigint, ${sequence.isCalled})`;
    });
    await target.ask(`SELECT ${calls.join(", ")}`, [], signal);
  }
}

async function refreshViews({ target, backup, plan, signal }: Phase): Promise<void> {
  if (!plan.withDefinitions) return;
  for (const view of backup.manifest.materializedViews) {
    await target.step(`view ${quoteTable(view)}`, showTable(view), signal, async (connection) => {
      await connection.query(`REFRESH MATERIALIZED VIEW ${quoteTable(view)}`, [], FOREVER);
    });
  }
}

const firstLine = (text: string): string => (text.split("\n")[0] ?? "").slice(0, 100);
