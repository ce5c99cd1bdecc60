import type { FailoverPool } from "@mirrorpool/core";
import { refused } from "../errors.ts";
import { groupBy } from "../group-by.ts";
import { type Catalog, type Column, type ForeignKey, splitColumns, type Table } from "../model.ts";
import { PATIENT, type Querier } from "../querier.ts";
import { ask } from "./ask.ts";
import { neutralType } from "./neutral-type.ts";

/** The tables of the database that the connection is in. */
const TABLES = `
SELECT TABLE_NAME AS name, COALESCE(TABLE_ROWS, 0) AS table_rows, COALESCE(DATA_LENGTH, 0) AS bytes, ENGINE AS engine
FROM information_schema.TABLES
WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')
ORDER BY TABLE_NAME`;

const COLUMNS = `
SELECT TABLE_NAME AS \`table\`, COLUMN_NAME AS name, COLUMN_TYPE AS \`column\`, DATA_TYPE AS \`data\`, IS_NULLABLE AS nullable,
  COLUMN_DEFAULT IS NOT NULL AS has_default, EXTRA AS extra, CHARACTER_MAXIMUM_LENGTH AS characters,
  CHARACTER_OCTET_LENGTH AS bytes, CHARACTER_SET_NAME AS charset, NUMERIC_PRECISION AS \`precision\`, NUMERIC_SCALE AS scale,
  DATETIME_PRECISION AS digits
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()
ORDER BY TABLE_NAME, ORDINAL_POSITION`;

const KEYS = `
SELECT TABLE_NAME AS \`table\`, COLUMN_NAME AS name FROM information_schema.STATISTICS
WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME = 'PRIMARY'
ORDER BY TABLE_NAME, SEQ_IN_INDEX`;

const FOREIGN_KEYS = `
SELECT DISTINCT CONSTRAINT_NAME AS name, TABLE_NAME AS \`table\`, REFERENCED_TABLE_NAME AS parent
FROM information_schema.KEY_COLUMN_USAGE
WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_SCHEMA = DATABASE()
ORDER BY TABLE_NAME, CONSTRAINT_NAME`;

const SERVER = `
SELECT VERSION() AS version, DATABASE() AS name, CONCAT_WS('|', @@hostname, @@port, @@server_id, @@datadir, DATABASE()) AS place,
  @@character_set_client AS charset`;

interface ColumnRow extends Readonly<Record<string, string | null>> {
  readonly table: string;
  readonly name: string;
  readonly column: string;
  readonly data: string;
  readonly nullable: string;
  readonly has_default: string;
  readonly extra: string;
  readonly characters: string | null;
  readonly bytes: string | null;
  readonly charset: string | null;
  readonly precision: string | null;
  readonly scale: string | null;
  readonly digits: string | null;
}

/** Whether the version that the server tells is one of MariaDB. */
export const isMariadb = (version: string): boolean => version.includes("MariaDB");

/** The same on the primary of a pool. */
export function readPrimary(pool: FailoverPool, signal: AbortSignal | undefined): Promise<Catalog> {
  const options = signal === undefined ? PATIENT : { ...PATIENT, signal };
  return pool.transaction((on) => readCatalog(on, signal), options);
}

/** Which database of which server the primary has. */
export async function readPlace(pool: FailoverPool, signal: AbortSignal | undefined): Promise<string> {
  const options = signal === undefined ? PATIENT : { ...PATIENT, signal };
  const [server] = await pool.transaction((on) => ask<{ place: string }>(on, SERVER, [], signal), options);
  return server?.place ?? "";
}

/** Everything that the user can see in the connection's database. */
export async function readCatalog(on: Querier, signal: AbortSignal | undefined): Promise<Catalog> {
  const [server] = await ask<{ version: string; name: string; place: string; charset: string }>(on, SERVER, [], signal);
  const { version = "", charset = "" } = server ?? {};
  if (charset !== "utf8mb4") {
    const reason = `its connections write in the character set ${charset}, which not all texts have: leave \`charset\` of mysql2 as it is`;
    throw refused("the job is", [{ table: "", reason }]);
  }
  // MySQL would tell sizes of a day ago
  if (!isMariadb(version)) await on.query("SET SESSION information_schema_stats_expiry = 0");
  const tables = await ask<{ name: string; table_rows: string; bytes: string }>(on, TABLES, [], signal);
  const columns = groupBy(await ask<ColumnRow>(on, COLUMNS, [], signal), ({ table }) => table);
  const keys = groupBy(await ask<{ table: string; name: string }>(on, KEYS, [], signal), ({ table }) => table);
  const foreignKeys = await ask<{ name: string; table: string; parent: string }>(on, FOREIGN_KEYS, [], signal);
  return {
    system: "mysql",
    // there is nothing that a cluster is known by for ever
    identity: `mysql/${server?.name}`,
    place: server?.place ?? "",
    major: version,
    tables: tables.map(({ name, table_rows, bytes }) => {
      const key = keys.get(name)?.map((each) => each.name);
      return toTable(name, columns.get(name) ?? [], key, Number(table_rows), Number(bytes));
    }),
    foreignKeys: foreignKeys.map(
      ({ name, table, parent }): ForeignKey => ({
        name,
        table: { schema: "public", name: table },
        references: { schema: "public", name: parent },
        isDeferrable: false,
      }),
    ),
  };
}

function toTable(
  name: string,
  rows: readonly ColumnRow[],
  keyNames: readonly string[] | undefined,
  count: number,
  bytes: number,
): Table {
  const columns = rows.map(toColumn);
  const byName = new Map(columns.map((column) => [column.name, column]));
  const key = keyNames?.map((each) => byName.get(each) as Column); // a key has columns of its table
  return {
    schema: "public",
    name,
    ...splitColumns(columns),
    key,
    isPartitioned: false,
    rows: count,
    bytes,
    isUnlogged: false,
    isOwned: true,
    identity: key === undefined ? "none" : "key",
  };
}

function toColumn(row: ColumnRow): Column {
  const { name, column, nullable, has_default, extra } = row;
  const isCounted = extra.includes("auto_increment");
  return {
    name,
    type: column,
    neutral: neutralType(row),
    isNullable: nullable === "YES",
    hasDefault: has_default === "1" || isCounted || extra.includes("DEFAULT_GENERATED"),
    isAlways: false,
    isCounted,
    isGenerated: /(VIRTUAL|STORED|PERSISTENT) GENERATED/.test(extra),
    isPlain: false,
    isPortable: false,
    order: "text",
  };
}
