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
  /** Of a partition: the table at the top, whose name it goes by elsewhere. */
  readonly root: string | null;
  readonly rootSchema: string | null;
}

/** A sequence, and the column that it gives its values. */
export interface SourceSequence extends QualifiedName {
  readonly of: (QualifiedName & { readonly column: string }) | undefined;
}

export interface Catalogue {
  readonly tables: readonly SourceTable[];
  readonly sequences: readonly SourceSequence[];
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
       am.amname = 'heap' AS "isHeap", s.bytes::float8 AS bytes, top.relname AS root, topns.nspname AS "rootSchema",
       (pg_catalog.pg_relation_size(c.oid) / current_setting('block_size')::int)::float8 AS pages,
       coalesce(a.columns, '{}') AS columns, coalesce(a.types, '{}') AS types, coalesce(a.portable, true) AS "isPortable"
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS ns ON ns.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_am AS am ON am.oid = c.relam
  LEFT JOIN pg_catalog.pg_class AS top ON c.relispartition AND top.oid = pg_catalog.pg_partition_root(c.oid)
  LEFT JOIN pg_catalog.pg_namespace AS topns ON topns.oid = top.relnamespace
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

/** Sequences of identity and serial columns, and those that a default names: of several columns one that owns it. */
const GIVERS = `
SELECT DISTINCT ON (given.sequence) sn.nspname AS "ofSchema", s.relname AS "ofName", n.nspname AS schema, c.relname AS name, a.attname AS "column"
  FROM (SELECT objid AS sequence, refobjid AS relation, refobjsubid::int AS place, 1 AS rank FROM pg_catalog.pg_depend
         WHERE classid = 'pg_catalog.pg_class'::regclass AND refclassid = 'pg_catalog.pg_class'::regclass AND refobjsubid > 0 AND deptype IN ('a', 'i')
         UNION ALL
        SELECT d.refobjid, def.adrelid, def.adnum::int, 2 FROM pg_catalog.pg_attrdef AS def
          JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = def.oid
           AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> def.adrelid) AS given
  JOIN pg_catalog.pg_class AS s ON s.oid = given.sequence AND s.relkind = 'S' JOIN pg_catalog.pg_namespace AS sn ON sn.oid = s.relnamespace
  JOIN pg_catalog.pg_class AS c ON c.oid = given.relation AND NOT c.relispartition JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = given.place
 ORDER BY given.sequence, given.rank, c.oid`;

type Giver = QualifiedName & { readonly column: string; readonly ofSchema: string; readonly ofName: string };

/** What there is to back up, as the connection's snapshot sees it. */
export async function readCatalogue(connection: ReservedConnection): Promise<Catalogue> {
  const { rows: tables } = await connection.query<SourceTable>(TABLES);
  const { rows: others } = await connection.query<QualifiedName & { readonly kind: string }>(OTHERS);
  const { rows: objects } = await connection.query<{ count: string }>(
    "SELECT count(*)::text AS count FROM pg_catalog.pg_largeobject_metadata",
  );
  const { rows: givers } = await connection.query<Giver>(GIVERS);
  const columns = new Map(givers.map(({ ofSchema, ofName, ...of }) => [JSON.stringify([ofSchema, ofName]), of]));
  const ofKind = (kind: string): QualifiedName[] =>
    others.filter((each) => each.kind === kind).map(({ schema, name }) => ({ schema, name }));
  return {
    tables,
    sequences: ofKind("S").map(({ schema, name }) => {
      return { schema, name, of: columns.get(JSON.stringify([schema, name])) };
    }),
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
  sequences: readonly SourceSequence[],
): Promise<readonly BackedUpSequence[]> {
  const found: BackedUpSequence[] = [];
  for (let start = 0; start < sequences.length; start += BATCH) {
    const batch = sequences.slice(start, start + BATCH);
    const text = batch
      .map((each, index) => `SELECT ${index} AS at, last_value::text AS value, is_called FROM ${quoteTable(each)}`)
      .join(" UNION ALL ");
    const { rows } = await connection.query<{ at: number; value: string; is_called: boolean }>(`${text} ORDER BY at`);
    batch.forEach(({ schema, name, of }, index) => {
      const row = rows[index];
      if (row === undefined) return;
      found.push({ schema, name, lastValue: row.value, isCalled: row.is_called, ...(of && { of }) });
    });
  }
  return found;
}
