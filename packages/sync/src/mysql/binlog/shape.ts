import { createHash } from "node:crypto";
import { groupBy } from "../../group-by.ts";
import type { Querier } from "../../querier.ts";
import { ask } from "../ask.ts";
import { CODES, type ColumnMap } from "./table-map.ts";
import type { ToldColumn } from "./value-text.ts";

const COLUMNS = `
SELECT TABLE_NAME AS \`table\`, COLUMN_NAME AS name, DATA_TYPE AS \`data\`, COLUMN_TYPE AS type, CHARACTER_SET_NAME AS charset,
  CHARACTER_OCTET_LENGTH AS bytes, NUMERIC_PRECISION AS \`precision\`, NUMERIC_SCALE AS scale, DATETIME_PRECISION AS digits,
  COLUMN_KEY = 'PRI' AS is_key
FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()
ORDER BY TABLE_NAME, ORDINAL_POSITION`;

/** All columns of tables, in the order in which the log has their values. */
export type Shapes = ReadonlyMap<string, readonly ToldColumn[]>;

type Row = Record<"table" | "name" | "data" | "type", string> &
  Record<"charset" | "bytes" | "precision" | "scale" | "digits" | "is_key", string | null>;

/** The shapes of the tables as they are now, and what tells whether they ever were otherwise. */
export async function readShapes(
  on: Querier,
  tables: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<{ readonly database: string; readonly shapes: Shapes; readonly fingerprint: string }> {
  const [server] = await ask<{ name: string }>(on, "SELECT DATABASE() AS name", [], signal);
  const rows = (await ask<Row>(on, COLUMNS, [], signal)).filter(({ table }) => tables.has(table));
  const shapes = new Map(
    [...groupBy(rows, ({ table }) => table)].map(([table, columns]) => [table, columns.map(toTold)] as const),
  );
  const fingerprint = createHash("sha256").update(JSON.stringify(rows)).digest("hex").slice(0, 16);
  return { database: server?.name ?? "", shapes, fingerprint };
}

const numberOrNone = (text: string | null): number | undefined => (text === null ? undefined : Number(text));

const toTold = ({ name, data, type, charset, bytes, precision, scale, digits }: Row): ToldColumn => ({
  name,
  data,
  type,
  charset,
  bytes: numberOrNone(bytes),
  precision: numberOrNone(precision),
  scale: numberOrNone(scale),
  digits: numberOrNone(digits),
});

const ALIKE: Readonly<Record<string, number>> = {
  tinyint: CODES.tiny,
  smallint: CODES.short,
  mediumint: CODES.int24,
  int: CODES.long,
  bigint: CODES.longlong,
  float: CODES.float,
  double: CODES.double,
  bit: CODES.bit,
  year: CODES.year,
  date: CODES.date,
  char: CODES.string,
  binary: CODES.string,
  enum: CODES.enum,
  set: CODES.set,
  json: CODES.json,
  uuid: CODES.string,
  inet4: CODES.string,
  inet6: CODES.string,
};
const BLOB_BYTES: Readonly<Record<string, number>> = {
  tinytext: 1,
  tinyblob: 1,
  text: 2,
  blob: 2,
  mediumtext: 3,
  mediumblob: 3,
  longtext: 4,
  longblob: 4,
};
const TEMPORAL: Readonly<Record<string, number>> = {
  time: CODES.time,
  datetime: CODES.datetime,
  timestamp: CODES.timestamp,
};

/** Whether a column in the log may be the one that the catalogue tells of. Pure. */
export function isAlike(told: ToldColumn, { code, meta }: ColumnMap): boolean {
  const { data } = told;
  if (data === "decimal") return code === CODES.decimal && meta === (((told.precision ?? 0) << 8) | (told.scale ?? 0));
  if (data === "varchar" || data === "varbinary") return code === CODES.varchar && meta === told.bytes;
  const blob = BLOB_BYTES[data];
  if (blob !== undefined) return code === CODES.blob && meta === blob;
  const temporal = TEMPORAL[data];
  if (temporal !== undefined) return code === temporal && meta === (told.digits ?? 0);
  return code === (ALIKE[data] ?? CODES.geometry);
}
