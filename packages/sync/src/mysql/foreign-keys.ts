import type { FailoverPool } from "@mirrorpool/core";
import { numberOf } from "../faults.ts";
import { foreignKeyText } from "../foreign-key-text.ts";
import { groupBy } from "../group-by.ts";
import type { ForeignKeyDefinition, SetAside, Table } from "../model.ts";
import { PATIENT, type Querier } from "../querier.ts";
import { ask, askRows, tell } from "./ask.ts";
import { quoteName, quoteTable } from "./quote.ts";
import { type Flavor, writerSettings } from "./settings.ts";

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
export async function checkForeignKey(pool: FailoverPool, { restore }: SetAside, signal: AbortSignal): Promise<void> {
  const orphans = await pool.transaction((on) => askRows(on, restore, signal), { ...PATIENT, signal });
  if (orphans.length > 0) throw new BrokenForeignKey();
}

/** 1826 of MySQL; MariaDB cannot make a table (1005) since InnoDB has that already (121). */
const isNameTaken = (error: unknown): boolean =>
  numberOf(error) === 1826 ||
  (numberOf(error) === 1005 && error instanceof Error && /errno: 121\b/.test(error.message));

/**
 * One that a table of another system has. The rows that are there are asked for those that break it, and the server does not look again:
 * it would write the whole table anew.
 * @throws {BrokenForeignKey}
 */
export async function makeForeignKey(
  pool: FailoverPool,
  flavor: Flavor,
  key: ForeignKeyDefinition,
  signal: AbortSignal,
): Promise<void> {
  const { table, columns, references, parentColumns } = key;
  const text = foreignKeyText(key, quoteName, quoteTable);
  const session = await pool.connect({ signal });
  try {
    await tell(session, writerSettings(flavor, true), [], signal);
    await tell(session, "START TRANSACTION", [], signal); // on the primary that it is made on
    const orphans = orphansOf(quoteTable(table), columns, quoteTable(references), parentColumns);
    const found = await askRows(session, orphans, signal);
    await tell(session, "COMMIT", [], signal);
    if (found.length > 0) throw new BrokenForeignKey();
    try {
      await tell(session, text, [], signal);
    } catch (error) {
      if (!isNameTaken(error)) throw error;
      await tell(session, text.replace(/ ADD CONSTRAINT .*? FOREIGN KEY /s, " ADD FOREIGN KEY "), [], signal);
    }
  } finally {
    session.release();
  }
}

/** By their numbers: a key that is too long or of what has no bound, a column or table that does not fit, one that has it already. */
const REFUSED: ReadonlySet<number> = new Set([
  ...[1005, 1061, 1068, 1069, 1070, 1071, 1072, 1073, 1089, 1101, 1118, 1142, 1167, 1170, 1171, 1215, 1239],
  // of foreign keys alone; 6125 is a parent without a unique key
  ...[1821, 1822, 1823, 1824, 1825, 1826, 1827, 1830, 3734, 3780, 6125],
]);
const BROKEN: ReadonlySet<number> = new Set([1022, 1062, 1169, 1216, 1452, 1586]);

/** Their messages show the values of rows: of those that rows break, only what it is. */
export function whyNotMade(error: unknown): string | undefined {
  if (error instanceof BrokenForeignKey) return error.message;
  const number = numberOf(error) ?? 0;
  if (BROKEN.has(number)) return `rows break it (${number})`;
  return REFUSED.has(number) && error instanceof Error ? error.message : undefined;
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
