import type { FailoverPool } from "@mirrorpool/core";
import { foreignKeyText } from "../foreign-key-text.ts";
import { groupBy } from "../group-by.ts";
import type { ForeignKeyDefinition, SetAside, Table } from "../model.ts";
import { PATIENT, type Querier } from "../querier.ts";
import { ask, askRows, tell } from "./ask.ts";
import { quoteName, quoteTable } from "./quote.ts";

const FOREIGN_KEYS = `
SELECT CONSTRAINT_NAME AS name, TABLE_NAME AS \`table\`, COLUMN_NAME AS \`column\`, REFERENCED_TABLE_SCHEMA AS parent_schema,
  REFERENCED_TABLE_NAME AS parent, REFERENCED_COLUMN_NAME AS parent_column
FROM information_schema.KEY_COLUMN_USAGE
WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL
ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION`;

/**
 * Foreign keys of the tables. A load does not look at them, and the server never does so later: the query that finds what breaks
 * them is kept with the job, and asked at its end.
 */
export async function findObstacles(on: Querier, tables: readonly Table[]): Promise<readonly SetAside[]> {
  const names = new Set(tables.map(({ name }) => name));
  const rows = await ask<Record<"name" | "table" | "column" | "parent_schema" | "parent" | "parent_column", string>>(
    on,
    FOREIGN_KEYS,
  );
  const keys = groupBy(
    rows.filter(({ table }) => names.has(table)),
    ({ table, name }) => JSON.stringify([table, name]),
  );
  return [...keys.values()].flatMap((columns): readonly SetAside[] => {
    const [first] = columns;
    if (first === undefined) return [];
    const restore = orphansOf(
      quoteTable({ name: first.table }),
      columns.map(({ column }) => column),
      `${quoteName(first.parent_schema)}.${quoteName(first.parent)}`,
      columns.map((each) => each.parent_column),
    );
    return [{ kind: "foreign-key", table: quoteTable({ name: first.table }), name: first.name, remove: "", restore }];
  });
}

/** Finds a row that refers to none. Pure. @param child quoted, as `parent` is */
function orphansOf(
  child: string,
  columns: readonly string[],
  parent: string,
  parentColumns: readonly string[],
): string {
  const joined = columns.map((column, place) => `p.${quoteName(parentColumns[place] ?? "")} = c.${quoteName(column)}`);
  const isSet = columns.map((column) => `c.${quoteName(column)} IS NOT NULL`);
  return `SELECT 1 FROM ${child} AS c LEFT JOIN ${parent} AS p ON ${joined.join(" AND ")}
      WHERE ${isSet.join(" AND ")} AND p.${quoteName(parentColumns[0] ?? "")} IS NULL LIMIT 1`;
}

/** @throws {BrokenForeignKey} */
export const checkForeignKey = (pool: FailoverPool, { restore }: SetAside, signal: AbortSignal): Promise<void> =>
  requireNone(pool, restore, signal);

async function requireNone(pool: FailoverPool, text: string, signal: AbortSignal): Promise<void> {
  const orphans = await pool.transaction((on) => askRows(on, text, signal), { ...PATIENT, signal });
  if (orphans.length > 0) throw new BrokenForeignKey();
}

const IS_THERE = `SELECT '1' AS one FROM information_schema.TABLE_CONSTRAINTS
WHERE CONSTRAINT_SCHEMA = DATABASE() AND TABLE_NAME = ? AND CONSTRAINT_NAME = ? AND CONSTRAINT_TYPE = 'FOREIGN KEY'`;

/**
 * One that a table of another system has. The rows that are there are asked for those that break it, and the server does not look again:
 * it would write the whole table anew.
 * @throws {BrokenForeignKey}
 */
export async function makeForeignKey(
  pool: FailoverPool,
  key: ForeignKeyDefinition,
  signal: AbortSignal,
): Promise<void> {
  const { table, name, columns, references, parentColumns } = key;
  await requireNone(pool, orphansOf(quoteTable(table), columns, quoteTable(references), parentColumns), signal);
  const session = await pool.connect({ signal });
  try {
    // from the primary that it is going to be made on
    await tell(session, "SET SESSION foreign_key_checks = 0", [], signal);
    await tell(session, "START TRANSACTION", [], signal);
    const found = await ask(session, IS_THERE, [table.name, name], signal);
    await tell(session, "COMMIT", [], signal);
    if (found.length === 0) await tell(session, foreignKeyText(key, quoteName, quoteTable), [], signal);
  } finally {
    session.release();
  }
}

/** Rows refer to others that the target does not have. */
class BrokenForeignKey extends Error {
  override readonly name = "BrokenForeignKey";
  /** As the server's own error would have it. */
  readonly code = "1452";
  constructor() {
    super("a row refers to another one that the target does not have");
  }
}
