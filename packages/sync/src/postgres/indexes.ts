import type { FailoverPool } from "@mirrorpool/core";
import { codeOf } from "../faults.ts";
import type { Index, SetAside, Table } from "../model.ts";
import { ask, PATIENT, type Querier, tell } from "../querier.ts";
import { quoteName, quoteTable } from "./quote.ts";

/** One transaction removes them, and the server has room for some thousand locks. */
const MAX_TABLES = 500;

/**
 * Indexes that can be made again just as they were, with the constraints that are made of them. All others stay: of partitioned tables and
 * of exclusion constraints; what something else needs, as a foreign key of another table does, or a view that groups by a key; what has a
 * comment, a place or a statistics target of its own; what calls a function of the user's, which may find other names at another time; and
 * where the role may not make indexes.
 */
const INDEXES = `
SELECT CASE WHEN i.indisprimary THEN 'key' ELSE 'index' END AS kind, format('%I.%I', n.nspname, c.relname) AS "table", x.relname AS name,
  CASE WHEN k.oid IS NULL THEN format('DROP INDEX %I.%I', n.nspname, x.relname)
    ELSE format('ALTER TABLE %I.%I DROP CONSTRAINT %I', n.nspname, c.relname, k.conname) END AS remove,
  pg_get_indexdef(x.oid) || CASE WHEN k.oid IS NULL THEN ''
    ELSE format('; ALTER TABLE %I.%I ADD CONSTRAINT %I %s USING INDEX %I%s', n.nspname, c.relname, k.conname,
      CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' ELSE 'UNIQUE' END, x.relname,
      CASE WHEN k.condeferred THEN ' DEFERRABLE INITIALLY DEFERRED' WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END) END AS restore
FROM unnest($1::regclass[]) WITH ORDINALITY AS given(id, place)
JOIN pg_class AS c ON c.oid = given.id JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_index AS i ON i.indrelid = c.oid JOIN pg_class AS x ON x.oid = i.indexrelid
LEFT JOIN pg_constraint AS k ON k.conindid = x.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')
WHERE c.relkind = 'r' AND has_schema_privilege(n.oid, 'CREATE')
  AND i.indisvalid AND i.indisready AND NOT i.indisexclusion AND NOT i.indisreplident AND NOT i.indisclustered
  AND x.relkind = 'i' AND NOT x.relispartition AND x.reltablespace = 0 AND k.contype IS DISTINCT FROM 'x'
  AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = x.oid AND a.attstattarget >= 0)
  AND NOT EXISTS (SELECT FROM pg_description AS d
    WHERE (d.classoid = 'pg_class'::regclass AND d.objoid = x.oid) OR (d.classoid = 'pg_constraint'::regclass AND d.objoid = k.oid))
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = x.oid
    AND (d.refclassid = 'pg_proc'::regclass OR d.deptype IN ('e', 'x')))
  AND NOT EXISTS (SELECT FROM pg_depend AS d
    WHERE d.deptype <> 'i' AND ((d.refclassid = 'pg_class'::regclass AND d.refobjid = x.oid) OR (d.refclassid = 'pg_constraint'::regclass AND d.refobjid = k.oid))
      AND NOT EXISTS (SELECT FROM pg_constraint AS f WHERE d.classid = 'pg_constraint'::regclass AND f.oid = d.objid
        AND f.contype = 'f' AND f.conparentid = 0 AND f.conrelid = ANY ($2::regclass[]) AND f.confrelid = ANY ($2::regclass[])))
ORDER BY given.place, pg_relation_size(x.oid) DESC, x.relname`;

/**
 * Indexes of empty tables, of which each row would take its place in turn: made when all rows are there they take a fraction of the time.
 * @param tables those that are worth it, the biggest first
 * @param all the tables of the job, whose foreign keys among each other are away before
 */
export function findIndexes(
  on: Querier,
  tables: readonly Table[],
  all: readonly Table[],
): Promise<readonly SetAside[]> {
  const values = [tables.slice(0, MAX_TABLES).map(quoteTable), all.map(quoteTable)];
  return tables.length === 0 ? Promise.resolve([]) : ask<SetAside & Record<string, string>>(on, INDEXES, values);
}

/** Whether it is still away: making it again may have been interrupted. */
export async function isIndexAway(on: Querier, { table, name }: Pick<SetAside, "table" | "name">): Promise<boolean> {
  const text = `SELECT (EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
    WHERE i.indrelid = $1::regclass AND x.relname = $2))::text AS is_there`;
  const [row] = await ask<{ is_there: string }>(on, text, [table, name]);
  return row?.is_there !== "true";
}

const NAME_IS_TAKEN = "42P07";

/** One that a table of another system has, over the rows that are there. */
export async function makeIndex(pool: FailoverPool, index: Index, table: Table, signal: AbortSignal): Promise<void> {
  const { name, columns, isUnique } = index;
  const kind = isUnique ? "UNIQUE INDEX" : "INDEX";
  const make = (called: string): Promise<void> =>
    pool.transaction(
      async (on) => {
        await tell(on, "SET LOCAL statement_timeout = 0");
        const list = columns.map(quoteName).join(", ");
        await tell(on, `CREATE ${kind} ${called} ON ${quoteTable(table)} (${list})`, [], signal);
      },
      { ...PATIENT, signal },
    );
  try {
    await make(quoteName(name));
  } catch (error) {
    if (codeOf(error) !== NAME_IS_TAKEN) throw error;
    await make(""); // the server finds one
  }
}
