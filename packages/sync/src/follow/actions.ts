import type { FailoverPool } from "@mirrorpool/core";
import type { System, Table } from "../model.ts";
import { ask as askMysql } from "../mysql/ask.ts";
import { ask as askPostgres, PATIENT } from "../querier.ts";

/** A foreign key that changes rows by itself when a row that they refer to is changed or deleted. */
export interface Action {
  readonly name: string;
  /** Whose rows it changes. */
  readonly child: string;
  readonly parent: string;
  /** What it does and to what, the same on every system. */
  readonly rule: string;
}

const MYSQL = `
SELECT r.CONSTRAINT_NAME AS name, r.TABLE_NAME AS child, r.REFERENCED_TABLE_NAME AS parent,
  r.DELETE_RULE AS on_delete, r.UPDATE_RULE AS on_update,
  GROUP_CONCAT(k.COLUMN_NAME ORDER BY k.ORDINAL_POSITION) AS columns,
  GROUP_CONCAT(k.REFERENCED_COLUMN_NAME ORDER BY k.ORDINAL_POSITION) AS \`references\`
FROM information_schema.REFERENTIAL_CONSTRAINTS AS r
JOIN information_schema.KEY_COLUMN_USAGE AS k
  ON k.CONSTRAINT_SCHEMA = r.CONSTRAINT_SCHEMA AND k.CONSTRAINT_NAME = r.CONSTRAINT_NAME AND k.TABLE_NAME = r.TABLE_NAME
WHERE r.CONSTRAINT_SCHEMA = DATABASE()
GROUP BY r.CONSTRAINT_NAME, r.TABLE_NAME, r.REFERENCED_TABLE_NAME, r.DELETE_RULE, r.UPDATE_RULE`;

const WORDS = "CASE WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' WHEN 'd' THEN 'SET DEFAULT' ELSE 'NO ACTION' END";
const POSTGRES = `
SELECT c.conname AS name, child.relname AS child, parent.relname AS parent,
  ${WORDS.replace("CASE", "CASE c.confdeltype")} AS on_delete, ${WORDS.replace("CASE", "CASE c.confupdtype")} AS on_update,
  (SELECT string_agg(a.attname, ',' ORDER BY u.n) FROM unnest(c.conkey) WITH ORDINALITY AS u(attnum, n)
     JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = u.attnum) AS columns,
  (SELECT string_agg(a.attname, ',' ORDER BY u.n) FROM unnest(c.confkey) WITH ORDINALITY AS u(attnum, n)
     JOIN pg_attribute AS a ON a.attrelid = c.confrelid AND a.attnum = u.attnum) AS "references"
FROM pg_constraint AS c JOIN pg_class AS child ON child.oid = c.conrelid JOIN pg_class AS parent ON parent.oid = c.confrelid
WHERE c.contype = 'f' AND child.relnamespace = 'public'::regnamespace AND parent.relnamespace = 'public'::regnamespace`;

type Row = Record<"name" | "child" | "parent" | "on_delete" | "on_update" | "columns" | "references", string>;

const ACTS: ReadonlySet<string> = new Set(["CASCADE", "SET NULL", "SET DEFAULT"]);
const ruleOf = (word: string): string => (ACTS.has(word) ? word : "none");

/** The foreign keys of a database that change rows by themselves. */
export async function readActions(pool: FailoverPool, system: System): Promise<readonly Action[]> {
  const read = system === "mysql" ? askMysql<Row> : askPostgres<Row>;
  const rows = await pool.transaction((on) => read(on, system === "mysql" ? MYSQL : POSTGRES), PATIENT);
  return rows
    .filter(({ on_delete, on_update }) => ACTS.has(on_delete) || ACTS.has(on_update))
    .map(({ name, child, parent, on_delete, on_update, columns, references }) => ({
      name,
      child,
      parent,
      rule: `${child} (${columns}) ${parent} (${references}) ${ruleOf(on_delete)} ${ruleOf(on_update)}`,
    }));
}

/**
 * Foreign keys of a source that change followed rows without a word in its log (MySQL has a word for them since 9.6, and not always), and those of them that the target does not have in just
 * the same way: what they do would be missed. Pure.
 */
export function silentActions(
  source: readonly Action[],
  target: readonly Action[],
  tables: readonly Table[],
): { readonly acting: readonly Action[]; readonly missing: readonly Action[] } {
  const followed = new Set(tables.map(({ name }) => name));
  const acting = source.filter(({ child }) => followed.has(child));
  const there = new Set(target.map(({ rule }) => rule));
  return { acting, missing: acting.filter(({ parent, rule }) => !followed.has(parent) || !there.has(rule)) };
}
