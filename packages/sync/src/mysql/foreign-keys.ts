import type { FailoverPool } from "@mirrorpool/core";
import { groupBy } from "../group-by.ts";
import type { SetAside, Table } from "../model.ts";
import { PATIENT, type Querier } from "../querier.ts";
import { ask, askRows } from "./ask.ts";
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
    const joined = columns.map((each) => `p.${quoteName(each.parent_column)} = c.${quoteName(each.column)}`);
    const isSet = columns.map(({ column }) => `c.${quoteName(column)} IS NOT NULL`);
    const parent = `${quoteName(first.parent_schema)}.${quoteName(first.parent)}`;
    const restore = `SELECT 1 FROM ${quoteTable({ name: first.table })} AS c LEFT JOIN ${parent} AS p ON ${joined.join(" AND ")}
      WHERE ${isSet.join(" AND ")} AND p.${quoteName(first.parent_column)} IS NULL LIMIT 1`;
    return [{ kind: "foreign-key", table: quoteTable({ name: first.table }), name: first.name, remove: "", restore }];
  });
}

/** @throws {BrokenForeignKey} */
export async function checkForeignKey(pool: FailoverPool, { restore }: SetAside, signal: AbortSignal): Promise<void> {
  const orphans = await pool.transaction((on) => askRows(on, restore, signal), { ...PATIENT, signal });
  if (orphans.length > 0) throw new BrokenForeignKey();
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
