import type { Result } from "@mirrorpool/core";
import type { FieldPacket } from "mysql2";

/** A column as the library `mariadb` describes it, as far as Prisma looks. */
interface Field {
  readonly type: string;
  readonly flags: number;
  readonly collation: { readonly index: number };
  readonly dataTypeFormat: string | undefined;
  name(): string;
}

/** Types of columns by their number in the protocol, under the names of the library `mariadb`. */
const TYPES: Readonly<Record<number, string>> = {
  ...{ 0: "DECIMAL", 1: "TINY", 2: "SHORT", 3: "INT", 4: "FLOAT", 5: "DOUBLE", 6: "NULL", 7: "TIMESTAMP" },
  ...{ 8: "BIGINT", 9: "INT24", 10: "DATE", 11: "TIME", 12: "DATETIME", 13: "YEAR", 14: "NEWDATE", 15: "VARCHAR" },
  ...{ 16: "BIT", 17: "TIMESTAMP2", 18: "DATETIME2", 19: "TIME2", 245: "JSON", 246: "NEWDECIMAL", 247: "ENUM" },
  ...{ 248: "SET", 249: "TINY_BLOB", 250: "MEDIUM_BLOB", 251: "LONG_BLOB", 252: "BLOB", 253: "VAR_STRING" },
  ...{ 254: "STRING", 255: "GEOMETRY" },
};

/** What `mysql2` has answered, in the shape of the library `mariadb`: rows with their columns as `meta`, or what was done. */
export function toMariadbAnswer(result: Result): unknown {
  const { rows, rowCount, insertId, fields } = result;
  if (fields === undefined || fields.length === 0) {
    return { affectedRows: rowCount ?? 0, insertId: insertId === undefined ? undefined : String(insertId) };
  }
  return Object.assign([...rows], { meta: fields.map((field) => toField(field as unknown as FieldPacket)) });
}

function toField(packet: FieldPacket): Field {
  const {
    name,
    columnType = -1,
    flags = 0,
    characterSet = 0,
    extendedFormat,
  } = packet as FieldPacket & {
    readonly characterSet?: number;
    readonly extendedFormat?: string;
  };
  return {
    type: TYPES[columnType] ?? `unknown (${columnType})`,
    flags: Number(flags),
    collation: { index: characterSet },
    dataTypeFormat: extendedFormat,
    name: () => name,
  };
}
