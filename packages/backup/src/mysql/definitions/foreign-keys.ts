import type { ReservedConnection } from "@mirrorpool/core";
import { askMysql as ask, quoteMysqlName as quoteName } from "@mirrorpool/sync/for-other-jobs";

/** A foreign key by its names. */
export interface ForeignKey {
  readonly name: string;
  readonly child: string;
  readonly childColumns: readonly string[];
  /** Undefined in another database. */
  readonly parent: string | undefined;
  readonly parentColumns: readonly string[];
}

const KEYS = `
SELECT CONSTRAINT_NAME AS name, TABLE_NAME AS child, COLUMN_NAME AS child_column, REFERENCED_TABLE_SCHEMA = DATABASE() AS is_here,
  REFERENCED_TABLE_NAME AS parent, REFERENCED_COLUMN_NAME AS parent_column
FROM information_schema.KEY_COLUMN_USAGE WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL
ORDER BY TABLE_NAME, CONSTRAINT_NAME, ORDINAL_POSITION`;

export async function readForeignKeys(on: ReservedConnection): Promise<readonly ForeignKey[]> {
  const rows = await ask<Record<"name" | "child" | "child_column" | "is_here" | "parent" | "parent_column", string>>(
    on,
    KEYS,
  );
  const keys = new Map<string, ForeignKey>();
  for (const { name, child, child_column, is_here, parent, parent_column } of rows) {
    const id = JSON.stringify([child, name]);
    const { childColumns = [], parentColumns = [] } = keys.get(id) ?? {};
    keys.set(id, {
      ...{ name, child, parent: is_here === "1" ? parent : undefined },
      childColumns: [...childColumns, child_column],
      parentColumns: [...parentColumns, parent_column],
    });
  }
  return [...keys.values()];
}

/** Of each table the columns that foreign keys need an index to begin with, on either side: quoted, with commas between them. Pure. */
export function columnsOfKeys(keys: readonly ForeignKey[]): ReadonlyMap<string, readonly string[]> {
  const needed = new Map<string, string[]>();
  const note = (table: string, columns: readonly string[]): void => {
    needed.set(table, [...(needed.get(table) ?? []), columns.map(quoteName).join(",")]);
  };
  for (const { child, childColumns, parent, parentColumns } of keys) {
    note(child, childColumns);
    if (parent !== undefined) note(parent, parentColumns);
  }
  return needed;
}

/** MariaDB writes names of foreign keys and of their columns as they are, between quotes that may be a part of them. Pure. */
export function withQuotedKeys(definition: string, table: string, keys: readonly ForeignKey[]): string {
  return keys
    .filter(({ child }) => child === table)
    .reduce((text, { name, childColumns, parentColumns }) => {
      const head = (quote: Quote): string =>
        `CONSTRAINT ${quote(name)} FOREIGN KEY ${list(childColumns, quote)} REFERENCES`;
      const at = text.indexOf(head(asItIs));
      if (at < 0) return text;
      const end = at + head(asItIs).length;
      const tail = list(parentColumns, asItIs);
      const place = text.indexOf(tail, end);
      const table = text.slice(end, place);
      return `${text.slice(0, at)}${head(quoteName)}${table}${list(parentColumns, quoteName)}${text.slice(place + tail.length)}`;
    }, definition);
}

type Quote = (name: string) => string;

const asItIs: Quote = (name) => `\`${name}\``;

const list = (names: readonly string[], quote: Quote): string => `(${names.map(quote).join(", ")})`;
