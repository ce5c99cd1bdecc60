import type { Constraints, ForeignKeyAction, ForeignKeyDefinition, Index, TableName } from "../model.ts";
import { ask, type Querier } from "../querier.ts";

const APPLICATION =
  "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't' AND NOT c.relispartition";

/** All but primary keys. Columns that are there for looking them up alone (INCLUDE) are none of the key. */
const INDEXES = `
SELECT json_build_object('table', json_build_object('schema', n.nspname, 'name', c.relname), 'name', x.relname, 'isUnique', i.indisunique,
  'columns', (SELECT json_agg(a.attname ORDER BY place.n) FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS place(attnum, n)
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = place.attnum WHERE place.n <= i.indnkeyatts),
  'reason', CASE
    WHEN i.indisexclusion THEN 'it excludes'
    WHEN i.indexprs IS NOT NULL THEN 'it is of an expression'
    WHEN i.indpred IS NOT NULL THEN 'it is of some rows'
    WHEN NOT i.indimmediate THEN 'it may be deferred'
    WHEN coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false) THEN 'it takes NULL for a value'
    WHEN am.amname NOT IN ('btree', 'hash') THEN 'it is a ' || am.amname || ' index'
    WHEN EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[]) AND a.attgenerated <> '')
      THEN 'it is of a generated column' END)::text AS json
FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid JOIN pg_am AS am ON am.oid = x.relam
JOIN pg_class AS c ON c.oid = i.indrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE NOT i.indisprimary AND i.indisvalid AND c.relkind IN ('r', 'p') AND ${APPLICATION}
ORDER BY n.nspname, c.relname, x.relname`;

const FOREIGN_KEYS = `
SELECT json_build_object('table', json_build_object('schema', n.nspname, 'name', c.relname), 'name', k.conname,
  'references', json_build_object('schema', fn.nspname, 'name', f.relname),
  'columns', (SELECT json_agg(a.attname ORDER BY place.n) FROM unnest(k.conkey) WITH ORDINALITY AS place(attnum, n)
    JOIN pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = place.attnum),
  'parentColumns', (SELECT json_agg(a.attname ORDER BY place.n) FROM unnest(k.confkey) WITH ORDINALITY AS place(attnum, n)
    JOIN pg_attribute AS a ON a.attrelid = k.confrelid AND a.attnum = place.attnum),
  'onUpdate', k.confupdtype, 'onDelete', k.confdeltype,
  'reason', CASE
    WHEN NOT k.convalidated THEN 'it was never validated'
    WHEN k.condeferrable THEN 'it may be deferred'
    WHEN k.confmatchtype = 'f' AND cardinality(k.conkey) > 1 THEN 'it is MATCH FULL'
    WHEN to_jsonb(k) ->> 'confdelsetcols' IS NOT NULL THEN 'it sets some of its columns'
    WHEN coalesce((to_jsonb(k) ->> 'conperiod')::boolean, false) THEN 'it is of periods' END)::text AS json
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS f ON f.oid = k.confrelid JOIN pg_namespace AS fn ON fn.oid = f.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND ${APPLICATION}
ORDER BY n.nspname, c.relname, k.conname`;

const ACTIONS: Readonly<Record<string, ForeignKeyAction>> = {
  ...{ a: "no action", r: "restrict", c: "cascade", n: "set null", d: "set default" },
};

type Found<T> = T & { readonly table: TableName; readonly name: string; readonly reason: string | null };

/** Indexes and foreign keys of all tables that the role can see. */
export async function readConstraints(on: Querier, signal: AbortSignal | undefined): Promise<Constraints> {
  const read = async <T>(text: string): Promise<readonly Found<T>[]> =>
    (await ask<{ json: string }>(on, text, [], signal)).map(({ json }) => JSON.parse(json) as Found<T>);
  const indexes = await read<Index>(INDEXES);
  const foreignKeys = await read<ForeignKeyDefinition>(FOREIGN_KEYS);
  return {
    indexes: indexes
      .filter(({ reason }) => reason === null)
      .map(({ table, name, columns, isUnique }) => ({ table, name, columns, isUnique })),
    foreignKeys: foreignKeys
      .filter(({ reason }) => reason === null)
      .map(({ table, name, references, columns, parentColumns, onUpdate, onDelete }) => ({
        ...{ table, name, references, columns, parentColumns },
        onUpdate: ACTIONS[onUpdate] ?? "no action",
        onDelete: ACTIONS[onDelete] ?? "no action",
      })),
    others: [...indexes, ...foreignKeys].flatMap(({ table, name, reason }) =>
      reason === null ? [] : [{ table, name, reason }],
    ),
  };
}
