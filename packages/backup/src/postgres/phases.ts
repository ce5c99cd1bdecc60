import type { ReservedConnection } from "@mirrorpool/core";
import { showTable } from "../table-names.ts";
import { chosenTables, type Phase, type RestorePlan, readText } from "../target/phases.ts";
import { smallBatches } from "../target/small-batches.ts";
import { inParallel } from "../tasks.ts";
import { statementsOf, toPostStatements } from "./definitions.ts";
import { analyze, makeLater, requireChunks, tablesBySize } from "./make-later.ts";
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
      for (const texts of smallBatches(statements, () => 0)) await connection.query(texts.join("\n;\n"), [], FOREVER);
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

/** All that follows the rows. */
export async function finish(phase: Phase): Promise<readonly string[]> {
  const { target, backup, plan, jobs, meter, signal } = phase;
  const { manifest } = backup;
  meter.enter("constraints");
  let analyzed: ReadonlySet<string> = new Set();
  if (plan.withDefinitions && manifest.schema.isIncluded) {
    const sql = await readText(backup, manifest.schema.after, signal);
    analyzed = await makeLater(phase, toPostStatements(statementsOf(sql, plan.withOwners)));
  } else {
    await target.step("after", "putting foreign keys and triggers back", signal, async (connection) => {
      await requireChunks(connection, backup, plan);
      await tighten(connection);
    });
  }
  await setSequences(phase);
  await refreshViews(phase);
  const tables = tablesBySize(phase).filter(({ key }) => !analyzed.has(key));
  await inParallel(
    smallBatches(tables, ({ bytes }) => bytes),
    jobs,
    signal,
    (batch, stop) => analyze(target, batch, stop),
  );
  return []; // what it cannot make is an error
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
    await target.step(`sequences ${start}`, "sequences", signal, async (connection) => {
      await connection.query(`SELECT ${calls.join(", ")}`, [], FOREVER);
    });
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
