import type { ReservedConnection } from "@mirrorpool/core";
import {
  isOwnTable,
  nameOf,
  readPostgresCatalog,
  readPostgresConstraints,
  type Table,
} from "@mirrorpool/sync/for-other-jobs";
import { chooseTables } from "../backup/choose-tables.ts";
import { usualChunkBytes } from "../backup/chunk-bytes.ts";
import type { FromCatalogue, Wanted } from "../dialect.ts";
import { BackupError, messageOf } from "../errors.ts";
import type { BackedUpColumn, QualifiedName, RowForm } from "../format/manifest.ts";
import type { PlannedTable } from "../run/unfinished.ts";
import { showTable } from "../table-names.ts";
import { type Catalogue, readCatalogue, readSequences, type SourceTable } from "./catalogue.ts";
import { planChunks } from "./plan.ts";
import { quoteTable } from "./quote.ts";
import type { SharedSnapshot } from "./snapshot.ts";

/** How long a table that is locked exclusively is waited for. */
const LOCK_MS = 30_000;
/** So many tables in one statement. */
const LOCK_BATCH = 500;

/** Looks at what there is, locks it against being dropped, and cuts it into chunks. */
export async function makePlan(
  snapshot: SharedSnapshot,
  { patterns, chunkBytes, form }: Wanted,
): Promise<FromCatalogue> {
  const { holder, source } = snapshot;
  const catalogue = await readCatalogue(holder);
  const application = catalogue.tables.filter((table) => !isOwnTable(table));
  const chosen = chooseTables(application, patterns);
  const isMirror = source.role === "mirror";
  // a mirror has their definition and none of their rows
  const tables = isMirror ? chosen.filter((table) => !table.isUnlogged) : chosen;
  await lockTables(holder, tables);
  const isWhole = patterns === undefined;
  const models = new Map((await readPostgresCatalog(holder, undefined)).tables.map((table) => [nameOf(table), table]));
  return {
    tables: tables.map((table) => toPlanned(table, models, form)),
    sequences: await readSequences(holder, isWhole ? catalogue.sequences : []),
    materializedViews: isWhole ? catalogue.materializedViews : [],
    constraints: await readPostgresConstraints(holder, undefined),
    chunks: planChunks(tables, chunkBytes ?? usualChunkBytes(tables)),
    warnings: warningsOf(catalogue, chosen, tables),
  };
}

function toPlanned(table: SourceTable, models: ReadonlyMap<string, Table>, wanted: RowForm): PlannedTable {
  const { schema, name, columns, types, isPortable, root: top, rootSchema } = table;
  const root: QualifiedName | undefined =
    top === null || rootSchema === null ? undefined : { schema: rootSchema, name: top };
  const model = models.get(nameOf(root ?? table));
  const neutral = columns.flatMap((column): BackedUpColumn[] => {
    const { neutral, isNullable, isCounted } = model?.columns.find((each) => each.name === column) ?? {};
    if (neutral === undefined || isNullable === undefined || isCounted === undefined) return [];
    return [{ name: column, neutral, isNullable, isCounted }];
  });
  const generated = model?.generated ?? [];
  return {
    ...{ schema, name, columns, types, neutral },
    form: isPortable ? wanted : "text",
    ...(model?.key && { key: model.key.map((column) => column.name) }),
    ...(generated.length > 0 && { generated }),
    ...(root && { root }),
  };
}

async function lockTables(holder: ReservedConnection, tables: readonly SourceTable[]): Promise<void> {
  await holder.query(`SET LOCAL lock_timeout = ${LOCK_MS}`);
  for (let start = 0; start < tables.length; start += LOCK_BATCH) {
    const batch = tables.slice(start, start + LOCK_BATCH);
    try {
      await holder.query(
        `LOCK TABLE ${batch.map((table) => `ONLY ${quoteTable(table)}`).join(", ")} IN ACCESS SHARE MODE`,
        [],
        { timeoutMs: 2 * LOCK_MS },
      );
    } catch (cause) {
      throw new BackupError("REFUSED", `the tables cannot be locked for reading: ${messageOf(cause)}`, { cause });
    }
  }
}

function warningsOf(
  { foreignTables, largeObjects }: Catalogue,
  chosen: readonly SourceTable[],
  kept: readonly SourceTable[],
): readonly string[] {
  const warnings: string[] = [];
  const left = chosen.filter((table) => !kept.includes(table));
  if (left.length > 0) {
    const names = left.slice(0, 10).map(showTable).join(", ");
    warnings.push(
      `the rows of ${left.length} unlogged tables are on the primary only, and not in this backup: ${names}`,
    );
  }
  if (largeObjects > 0) warnings.push(`${largeObjects} large objects are not in this backup`);
  if (foreignTables > 0)
    warnings.push(`the rows of ${foreignTables} foreign tables are on their own servers, and not in this backup`);
  return warnings;
}
