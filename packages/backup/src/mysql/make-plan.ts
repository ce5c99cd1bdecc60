import {
  askMysql as ask,
  type Dialect,
  formed,
  isOwnTable,
  planChunks,
  quoteMysqlName as quoteName,
  type Table,
  type View,
} from "@mirrorpool/sync/for-other-jobs";
import { chooseTables } from "../backup/choose-tables.ts";
import { usualChunkBytes } from "../backup/chunk-bytes.ts";
import type { FromCatalogue, Wanted } from "../dialect.ts";
import type { BackedUpSequence, BackedUpTable, SourcePosition } from "../format/manifest.ts";
import { tableOf } from "../format/table-of.ts";
import type { PlannedTable } from "../run/unfinished.ts";
import { showTable } from "../table-names.ts";
import { withForms } from "./forms.ts";
import { MARKS } from "./mark-name.ts";

/** Looks at what there is, keeps it from being changed, and cuts it into chunks. */
export async function makePlan(
  dialect: Dialect,
  view: View,
  source: SourcePosition,
  { patterns, chunkBytes }: Wanted,
): Promise<FromCatalogue> {
  const never = new AbortController().signal; // short questions
  const on = view.holder;
  const catalog = await dialect.readCatalog(on, never);
  const own = catalog.tables.filter((table) => !MARKS.includes(table.name) && !isOwnTable(table)).map(withForms);
  const tables = chooseTables(own, patterns);
  await view.lock(tables, never);
  const size = chunkBytes ?? usualChunkBytes(tables);
  const kinds = await ask<{ name: string; type: string; safe: string | null }>(on, KINDS);
  const isSafe = new Map(kinds.map(({ name, safe }) => [name, safe === "YES"]));
  const filled = await dialect.findFilled(on, tables);
  // of what no transaction keeps together a part cannot be written again
  const whole = filled.map((table) => (isSafe.get(table.name) === true ? table : { ...table, key: undefined }));
  const chunks = await planChunks(dialect, on, whole, size, never);
  return {
    tables: tables.map(toPlanned),
    sequences: await readCounters(on, tables, patterns === undefined ? kinds.filter(isSequence) : []),
    materializedViews: [],
    constraints: await dialect.readConstraints(on, never),
    chunks: chunks.map(({ table, range, weight }) => ({
      table: tables.indexOf(filled[table] as Table), // of the list that was cut
      part: range,
      weight: Math.max(1, weight),
    })),
    warnings: [...warningsOf(tables, kinds, source), ...(await findStrangers(on, filled))],
  };
}

const KINDS = `
SELECT t.TABLE_NAME AS name, t.TABLE_TYPE AS type, e.TRANSACTIONS AS safe
  FROM information_schema.TABLES AS t LEFT JOIN information_schema.ENGINES AS e ON e.ENGINE = t.ENGINE
 WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE NOT LIKE '%VIEW'
 ORDER BY t.TABLE_NAME`;

type Kind = { readonly name: string; readonly type: string; readonly safe: string | null };

const isSequence = ({ type }: Kind): boolean => type === "SEQUENCE";

const COUNTERS = `
SELECT TABLE_NAME AS name, AUTO_INCREMENT AS next FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = DATABASE() AND AUTO_INCREMENT IS NOT NULL`;

/** What tables and sequences count on from. They know no view: it is at least as far as the rows. */
async function readCounters(
  on: View["holder"],
  tables: readonly Table[],
  sequences: readonly Kind[],
): Promise<readonly BackedUpSequence[]> {
  const found: BackedUpSequence[] = [];
  const names = new Set(tables.map(({ name }) => name));
  for (const { name, next } of await ask<{ name: string; next: string }>(on, COUNTERS))
    if (names.has(name)) found.push({ schema: "public", name, lastValue: next, isCalled: false });
  for (const { name } of sequences) {
    const text = `SELECT next_not_cached_value AS next FROM ${quoteName(name)}`;
    const [row] = await ask<{ next: string }>(on, text);
    if (row !== undefined) found.push({ schema: "public", name, lastValue: row.next, isCalled: false });
  }
  return found;
}

function toPlanned({ schema, name, columns, key, generated }: Table): PlannedTable {
  return {
    ...{ schema, name },
    columns: columns.map((column) => column.name),
    types: columns.map(({ type }) => type),
    form: "text",
    neutral: columns.map(({ name, neutral, form = "text", isNullable, isCounted }) => ({
      ...{ name, neutral, form, isNullable, isCounted },
    })),
    ...(key && { key: key.map((column) => column.name) }),
    ...(generated.length > 0 && { generated }),
  };
}

/** The table as sync's dialects know it, with the forms that its rows are written in. Pure. */
export function modelOf(table: Omit<BackedUpTable, "rows">): Table {
  const forms = (table.neutral ?? []).map(({ name, form = "text" }) => [name, form] as const);
  return formed(tableOf(table), new Map(forms));
}

/**
 * Enums with a value that is none of their labels, which a mode that is not strict has let in: no load that looks at what it writes
 * takes them. Costs a scan of the tables with enums.
 */
async function findStrangers(on: View["holder"], tables: readonly Table[]): Promise<readonly string[]> {
  const warnings: string[] = [];
  for (const table of tables) {
    for (const { name, neutral } of table.columns) {
      if (neutral.kind !== "enum" || neutral.labels.includes("")) continue;
      const text = `SELECT 1 FROM ${quoteName(table.name)} WHERE ${quoteName(name)} = 0 LIMIT 1`;
      if ((await ask(on, text)).length === 0) continue;
      warnings.push(
        `${showTable(table)}: ${name} has a value that is none of its labels: a restore refuses its rows, unless '' is one in the table that they go into`,
      );
    }
  }
  return warnings;
}

/** So many are named. */
const SHOWN = 10;

function warningsOf(tables: readonly Table[], kinds: readonly Kind[], { position }: SourcePosition): readonly string[] {
  const names = new Set(tables.map(({ name }) => name));
  const chosen = kinds.filter(({ name }) => names.has(name));
  const shown = (each: readonly Kind[]): string =>
    each
      .slice(0, SHOWN)
      .map(({ name }) => name)
      .join(", ");
  const unsafe = chosen.filter(({ type, safe }) => type !== "SEQUENCE" && safe !== "YES");
  const versioned = chosen.filter(({ type }) => type === "SYSTEM VERSIONED");
  const warnings: string[] = [];
  if (unsafe.length > 0)
    warnings.push(
      `${unsafe.length} tables have no transactions, and their rows are of whenever they were read: ${shown(unsafe)}`,
    );
  if (versioned.length > 0)
    warnings.push(
      `the former rows of ${versioned.length} versioned tables are not in this backup: ${shown(versioned)}`,
    );
  if (position === "") warnings.push("the server has no GTID position: nothing can be followed from this backup on");
  return warnings;
}
