import type { FailoverPool } from "@mirrorpool/core";
import { type Catalog, type Column, type ForeignKey, splitColumns, type Table } from "../model.ts";
import { ask, PATIENT, type Querier } from "../querier.ts";
import { neutralType } from "./neutral-type.ts";

/**
 * One JSON object a table. Left out are the system's own tables, those of extensions, temporary and foreign ones, and partitions:
 * these are read and written through their parent.
 */
const TABLES = `
SELECT json_build_object(
  'schema', n.nspname, 'name', c.relname, 'isPartitioned', c.relkind = 'p', 'isUnlogged', c.relpersistence = 'u',
  'rows', greatest(c.reltuples, 0), 'identity', c.relreplident,
  'bytes', CASE c.relkind WHEN 'r' THEN pg_table_size(c.oid)
    ELSE (SELECT coalesce(sum(pg_table_size(part.relid)), 0) FROM pg_partition_tree(c.oid) AS part WHERE part.isleaf) END,
  'isOwned', pg_has_role(c.relowner, 'USAGE'),
  'key', (SELECT json_agg(a.attname ORDER BY place.n) FROM pg_index AS i, unnest(i.indkey) WITH ORDINALITY AS place(attnum, n), pg_attribute AS a
          WHERE i.indrelid = c.oid AND i.indisprimary AND a.attrelid = c.oid AND a.attnum = place.attnum),
  'columns', (SELECT json_agg(json_build_object(
      'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'isNullable', NOT a.attnotnull,
      'isAlways', a.attidentity = 'a', 'hasDefault', a.atthasdef OR a.attidentity <> '', 'isCounted', a.attidentity <> '' OR (a.atthasdef AND EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
          AND d.refobjid = c.oid AND d.refobjsubid = a.attnum AND d.deptype = 'a')),
      'modifier', CASE given.typtype WHEN 'd' THEN given.typtypmod ELSE a.atttypmod END, 'base', format_type(base.oid, NULL),
      'labels', CASE base.typtype WHEN 'e' THEN (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = base.oid) END, 'isGenerated', a.attgenerated <> '', 'kind', base.typtype, 'oid', base.oid::int8,
      'element', base.typelem::int8, 'collation', a.attcollation::int8,
      'isDeterministic', coalesce(coll.collisdeterministic, true)) ORDER BY a.attnum)
    FROM pg_attribute AS a
    JOIN pg_type AS given ON given.oid = a.atttypid
    JOIN pg_type AS base ON base.oid = CASE given.typtype WHEN 'd' THEN given.typbasetype ELSE given.oid END
    LEFT JOIN pg_collation AS coll ON coll.oid = a.attcollation
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
)::text AS json
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname`;

const FOREIGN_KEYS = `
SELECT json_build_object('name', k.conname,
  'table', json_build_object('schema', n.nspname, 'name', c.relname),
  'references', json_build_object('schema', fn.nspname, 'name', f.relname), 'isDeferrable', k.condeferrable)::text AS json
FROM pg_constraint AS k
JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_class AS f ON f.oid = k.confrelid JOIN pg_namespace AS fn ON fn.oid = f.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0
ORDER BY n.nspname, c.relname, k.conname`;

/** Whether the database orders text by its bytes where no other collation is named. */
const SERVER = `
SELECT current_setting('server_version_num') AS version,
  (SELECT system_identifier::text FROM pg_control_system()) || '/' || d.oid AS identity,
  (d.datcollate IN ('C', 'POSIX') AND coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') = 'c')::text AS is_bytewise
FROM pg_database AS d WHERE d.datname = current_database()`;

interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly isNullable: boolean;
  readonly hasDefault: boolean;
  readonly isAlways: boolean;
  readonly isCounted: boolean;
  readonly isGenerated: boolean;
  readonly modifier: number;
  readonly base: string;
  readonly labels: readonly string[] | null;
  readonly kind: string;
  readonly oid: number;
  readonly element: number;
  readonly collation: number;
  readonly isDeterministic: boolean;
}

interface TableRow extends Omit<Table, "columns" | "generated" | "key" | "identity"> {
  readonly columns: readonly ColumnRow[] | null;
  readonly key: readonly string[] | null;
  readonly identity: string;
}

/** The same on the primary of a pool. Types are written with their schemas, wherever the application's own settings look first. */
export function readPrimary(pool: FailoverPool, signal: AbortSignal | undefined): Promise<Catalog> {
  const options = signal === undefined ? PATIENT : { ...PATIENT, signal };
  return pool.transaction(
    async (on) => {
      await on.query("SET LOCAL search_path = 'pg_catalog'");
      return readCatalog(on, signal);
    },
    { ...options, readOnly: true },
  );
}

/** Which database it is. */
export async function readPlace(pool: FailoverPool, signal: AbortSignal | undefined): Promise<string> {
  const [server] = await ask<{ version: string; identity: string; is_bytewise: string }>(pool, SERVER, [], signal);
  return server?.identity ?? "";
}

/** Everything that the role can see, in three round trips. */
export async function readCatalog(on: Querier, signal: AbortSignal | undefined): Promise<Catalog> {
  const [server] = await ask<{ version: string; identity: string; is_bytewise: string }>(on, SERVER, [], signal);
  const isBytewise = server?.is_bytewise === "true";
  const tables = await ask<{ json: string }>(on, TABLES, [], signal);
  const foreignKeys = await ask<{ json: string }>(on, FOREIGN_KEYS, [], signal);
  return {
    system: "postgres",
    identity: server?.identity ?? "",
    place: server?.identity ?? "",
    major: String(Math.floor(Number(server?.version) / 10_000)),
    tables: tables.map(({ json }) => toTable(JSON.parse(json) as TableRow, isBytewise)),
    foreignKeys: foreignKeys.map(({ json }) => JSON.parse(json) as ForeignKey),
  };
}

function toTable(row: TableRow, isBytewise: boolean): Table {
  const columns = (row.columns ?? []).map((column) => toColumn(column, isBytewise));
  const byName = new Map(columns.map((column) => [column.name, column]));
  const key = row.key?.map((name) => byName.get(name) as Column); // a key has columns of its table
  const isKeyed = row.identity === "d" && key !== undefined;
  return {
    ...row,
    key,
    ...splitColumns(columns),
    identity: isKeyed ? "key" : row.identity === "f" ? "full" : "none",
  };
}

const FIRST_OWN_OID = 16_384;
/** Names in place of values: `regclass` and its kin have other numbers on another server. */
const REFERENCES: ReadonlySet<number> = new Set([
  24, 2202, 2203, 2204, 2205, 2206, 3734, 3769, 4089, 4096, 4191, 1008, 2207, 2208, 2209, 2210, 2211, 3735, 3770, 4090,
  4097, 4192, 1033, 1034,
]);
/**
 * Types of which equal values have equal texts, so that the server's own hash of a value tells as much as one of its text:
 * bool, bytea, "char", int8, int2, int4, text, oid, varchar, date, time, timestamp, timestamptz, uuid. Not numeric (1.0 and
 * 1.00), floats (0 and -0), interval, timetz, jsonb.
 */
const PLAIN: ReadonlySet<number> = new Set([16, 17, 18, 20, 21, 23, 25, 26, 1043, 1082, 1083, 1114, 1184, 2950]);
const DEFAULT_COLLATION = 100;
/** C and POSIX. */
const BYTEWISE: ReadonlySet<number> = new Set([0, 950, 951]);

function toColumn(row: ColumnRow, isBytewise: boolean): Column {
  const { name, type, isNullable, hasDefault, isAlways, isCounted, isGenerated } = row;
  const { kind, oid, element, collation, isDeterministic } = row;
  const isBuiltIn = oid < FIRST_OWN_OID && element < FIRST_OWN_OID && !REFERENCES.has(oid);
  const hasByteOrder = BYTEWISE.has(collation) || (collation === DEFAULT_COLLATION && isBytewise);
  return {
    name,
    type,
    neutral: neutralType(row),
    isNullable,
    hasDefault,
    isAlways,
    isCounted,
    isGenerated,
    isPlain: PLAIN.has(oid) && isDeterministic,
    isPortable: kind === "e" || (isBuiltIn && (kind === "b" || kind === "r" || kind === "m")),
    order: kind === "e" ? "text" : hasByteOrder ? "own" : "bytes",
  };
}
