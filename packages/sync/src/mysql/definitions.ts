import { groupBy } from "../group-by.ts";
import type { Constraints, ForeignKeyAction, ForeignKeyDefinition, Index } from "../model.ts";
import type { Querier } from "../querier.ts";
import { ask } from "./ask.ts";

/** All but primary keys. MySQL has no column's name for an expression. */
const INDEXES = `
SELECT s.TABLE_NAME AS \`table\`, s.INDEX_NAME AS name, s.NON_UNIQUE AS \`repeats\`, s.COLUMN_NAME AS \`column\`, s.SUB_PART AS part,
  s.INDEX_TYPE AS kind, c.GENERATION_EXPRESSION AS expression
FROM information_schema.STATISTICS AS s
LEFT JOIN information_schema.COLUMNS AS c
  ON c.TABLE_SCHEMA = s.TABLE_SCHEMA AND c.TABLE_NAME = s.TABLE_NAME AND c.COLUMN_NAME = s.COLUMN_NAME
WHERE s.TABLE_SCHEMA = DATABASE() AND s.INDEX_NAME <> 'PRIMARY'
ORDER BY s.TABLE_NAME, s.INDEX_NAME, s.SEQ_IN_INDEX`;

const FOREIGN_KEYS = `
SELECT k.TABLE_NAME AS \`table\`, k.CONSTRAINT_NAME AS name, k.COLUMN_NAME AS \`column\`, k.REFERENCED_TABLE_NAME AS parent,
  k.REFERENCED_COLUMN_NAME AS parent_column, r.UPDATE_RULE AS on_update, r.DELETE_RULE AS on_delete,
  CASE WHEN k.REFERENCED_TABLE_SCHEMA = DATABASE() THEN 1 ELSE 0 END AS is_own
FROM information_schema.KEY_COLUMN_USAGE AS k
JOIN information_schema.REFERENTIAL_CONSTRAINTS AS r
  ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.TABLE_NAME = k.TABLE_NAME AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME
WHERE k.TABLE_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME IS NOT NULL
ORDER BY k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`;

type IndexPart = Readonly<Record<"table" | "name" | "repeats" | "kind", string>> &
  Readonly<Record<"column" | "part" | "expression", string | null>>;
type ForeignKeyPart = Readonly<
  Record<"table" | "name" | "column" | "parent" | "parent_column" | "on_update" | "on_delete" | "is_own", string>
>;

/** Indexes and foreign keys of the connection's database. */
export async function readConstraints(on: Querier, signal: AbortSignal | undefined): Promise<Constraints> {
  const byName = ({ table, name }: { readonly table: string; readonly name: string }): string =>
    JSON.stringify([table, name]);
  const indexes = [...groupBy(await ask<IndexPart>(on, INDEXES, [], signal), byName).values()].map(toIndex);
  const keys = groupBy(await ask<ForeignKeyPart>(on, FOREIGN_KEYS, [], signal), byName);
  const foreignKeys = [...keys.values()].map(toForeignKey);
  return {
    indexes: indexes.flatMap(({ index, reason }) => (reason === undefined ? [index] : [])),
    foreignKeys: foreignKeys.flatMap(({ key, reason }) => (reason === undefined ? [key] : [])),
    others: [
      ...indexes.flatMap(({ index: { table, name }, reason }) =>
        reason === undefined ? [] : [{ table, name, reason }],
      ),
      ...foreignKeys.flatMap(({ key: { table, name }, reason }) =>
        reason === undefined ? [] : [{ table, name, reason }],
      ),
    ],
  };
}

type Found<Name extends string, T> = { readonly [K in Name]: T } & { readonly reason: string | undefined };

function toIndex(parts: readonly IndexPart[]): Found<"index", Index> {
  const { table = "", name = "", repeats, kind = "" } = parts[0] ?? {};
  const columns = parts.flatMap(({ column }) => column ?? []);
  let reason: string | undefined;
  if (columns.length < parts.length) reason = "it is of an expression";
  else if (parts.some(({ part }) => part !== null)) reason = "it is of the beginnings of values";
  else if (parts.some(({ expression }) => (expression ?? "") !== "")) reason = "it is of a generated column";
  else if (!["BTREE", "HASH"].includes(kind)) reason = `it is a ${kind} index`;
  return { index: { table: { schema: "public", name: table }, name, columns, isUnique: repeats === "0" }, reason };
}

function toForeignKey(parts: readonly ForeignKeyPart[]): Found<"key", ForeignKeyDefinition> {
  const { table = "", name = "", parent = "", on_update, on_delete, is_own } = parts[0] ?? {};
  const key: ForeignKeyDefinition = {
    ...{ table: { schema: "public", name: table }, name, references: { schema: "public", name: parent } },
    columns: parts.map(({ column }) => column),
    parentColumns: parts.map(({ parent_column }) => parent_column),
    onUpdate: toAction(on_update),
    onDelete: toAction(on_delete),
  };
  return { key, reason: is_own === "1" ? undefined : "it refers to another database" };
}

const toAction = (rule = ""): ForeignKeyAction => rule.toLowerCase() as ForeignKeyAction; // the same words
