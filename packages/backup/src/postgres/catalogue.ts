import type { ReservedConnection } from "@mirrorpool/core";
import type { BackedUpSequence, QualifiedName } from "../format/manifest.ts";
import { quoteTable } from "./quote.ts";

/** A table that holds rows of its own. */
export interface SourceTable extends QualifiedName {
  readonly oid: string;
  readonly columns: readonly string[];
  /** Of the columns, as the server writes them. */
  readonly types: readonly string[];
  /** The binary forms of its values mean the same on every server of the same major version. */
  readonly isPortable: boolean;
  /** Pages of its heap now; a part of a table is a range of them. */
  readonly pages: number;
  /** With what is stored out of line. */
  readonly bytes: number;
  readonly isHeap: boolean;
  readonly isUnlogged: boolean;
}

export interface Catalogue {
  readonly tables: readonly SourceTable[];
  readonly sequences: readonly QualifiedName[];
  readonly materializedViews: readonly QualifiedName[];
  readonly largeObjects: number;
  readonly foreignTables: number;
}

/** Of the user's own schemas, and not of an extension, which makes its tables itself. */
const OWN = `ns.nspname NOT LIKE 'pg\\_%' AND ns.nspname NOT IN ('information_schema', 'mirrorpool_restore')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                   WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/**
 * Types of the system's own, and enums, which travel as their labels. Not what holds numbers that each database gives by itself:
 * arrays and composites of its own types, `regclass` and its kin.
 */
const PORTABLE = `t.typtype = 'e' OR (t.oid < 16384 AND t.typelem < 16384 AND t.typtype IN ('b', 'r', 'm')
  AND t.typname !~ '^_?reg' AND t.typsend <> 0 AND t.typreceive <> 0)`;

const TABLES = `
SELECT c.oid::text AS oid, ns.nspname AS schema, c.relname AS name, c.relpersistence = 'u' AS "isUnlogged",
       am.amname = 'heap' AS "isHeap", s.bytes::float8 AS bytes,
       (pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int)::float8 AS pages,
       coalesce(a.columns, '{}') AS columns, coalesce(a.types, '{}') AS types, coalesce(a.portable, true) AS "isPortable"
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS ns ON ns.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
  CROSS JOIN LATERAL (SELECT pg_catalog.pg_table_size(c.oid) AS bytes) AS s
  LEFT JOIN LATERAL (SELECT array_agg(at.attname::text ORDER BY at.attnum) AS columns,
                            array_agg(pg_catalog.format_type(at.atttypid, at.atttypmod) ORDER BY at.attnum) AS types,
                            bool_and(${PORTABLE}) AS portable
                       FROM pg_catalog.pg_attribute AS at JOIN pg_catalog.pg_type AS given ON given.oid = at.atttypid
                       JOIN pg_catalog.pg_type AS t ON t.oid = CASE given.typtype WHEN 'd' THEN given.typbasetype ELSE given.oid END
                      WHERE at.attrelid = c.oid AND at.attnum > 0 AND NOT at.attisdropped AND at.attgenerated = '') AS a ON true
 WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND ${OWN}
 ORDER BY ns.nspname COLLATE "C", c.relname COLLATE "C"`;

const OTHERS = `
SELECT ns.nspname AS schema, c.relname AS name, c.relkind AS kind
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS ns ON ns.oid = c.relnamespace
 WHERE (c.relkind IN ('S', 'f') OR (c.relkind = 'm' AND c.relispopulated)) AND c.relpersistence <> 't' AND ${OWN}
 ORDER BY c.oid`;

/** What there is to back up, as the connection's snapshot sees it. */
export async function readCatalogue(connection: ReservedConnection): Promise<Catalogue> {
  const { rows: tables } = await connection.query<SourceTable>(TABLES);
  const { rows: others } = await connection.query<QualifiedName & { readonly kind: string }>(OTHERS);
  const { rows: objects } = await connection.query<{ count: string }>(
    "SELECT count(*)::text AS count FROM pg_catalog.pg_largeobject_metadata",
  );
  const ofKind = (kind: string): QualifiedName[] =>
    others.filter((each) => each.kind === kind).map(({ schema, name }) => ({ schema, name }));
  return {
    tables,
    sequences: ofKind("S"),
    materializedViews: ofKind("m"),
    foreignTables: ofKind("f").length,
    largeObjects: Number(objects[0]?.count ?? 0),
  };
}

/** So many in one statement. */
const BATCH = 200;

/** How far sequences have come. They know no snapshots: it is at least as far as the rows of the snapshot. */
export async function readSequences(
  connection: ReservedConnection,
  sequences: readonly QualifiedName[],
): Promise<readonly BackedUpSequence[]> {
  const found: BackedUpSequence[] = [];
  for (let start = 0; start < sequences.length; start += BATCH) {
    const batch = sequences.slice(start, start + BATCH);
    const text = batch
      .map((each, index) => `SELECT ${index} AS at, last_value::text AS value, is_called FROM ${quoteTable(each)}`)
      .join(" UNION ALL ");
    const { rows } = await connection.query<{ at: number; value: string; is_called: boolean }>(`${text} ORDER BY at`);
    batch.forEach((each, index) => {
      const row = rows[index];
      if (row !== undefined) found.push({ ...each, lastValue: row.value, isCalled: row.is_called });
    });
  }
  return found;
}
