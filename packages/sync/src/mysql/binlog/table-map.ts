import type { Reader } from "./reader.ts";

/** The type of a column as the log has it, by the numbers of the protocol. */
export interface ColumnMap {
  readonly code: number;
  /** What it means depends on the type: bytes of a length, digits, the largest length. */
  readonly meta: number;
}

/** What the following rows are of. */
export interface TableMap {
  readonly id: number;
  readonly database: string;
  readonly name: string;
  readonly columns: readonly ColumnMap[];
}

/** Numbers of types (MySQL source documentation, "field_types.h"; MariaDB's own are the same). */
export const CODES = {
  tiny: 1,
  short: 2,
  long: 3,
  float: 4,
  double: 5,
  timestampBefore: 7,
  longlong: 8,
  int24: 9,
  date: 10,
  timeBefore: 11,
  datetimeBefore: 12,
  year: 13,
  varchar: 15,
  bit: 16,
  timestamp: 17,
  datetime: 18,
  time: 19,
  json: 245,
  decimal: 246,
  enum: 247,
  set: 248,
  blob: 252,
  string: 254,
  geometry: 255,
} as const;

const NO_META: ReadonlySet<number> = new Set([1, 2, 3, 6, 7, 8, 9, 10, 11, 12, 13]);
const ONE_BYTE: ReadonlySet<number> = new Set([4, 5, 17, 18, 19, 140, 242, 245, 249, 250, 251, 252, 255]);

export function readTableMap(reader: Reader): TableMap {
  const id = reader.uint(6);
  reader.skip(2);
  const database = reader.text(reader.uint(1));
  reader.skip(1);
  const name = reader.text(reader.uint(1));
  reader.skip(1);
  const count = reader.size();
  const codes = reader.bytes(count);
  reader.size();
  return { id, database, name, columns: [...codes].map((code) => readMeta(code, reader)) };
}

function readMeta(code: number, reader: Reader): ColumnMap {
  if (NO_META.has(code)) return { code, meta: 0 };
  if (ONE_BYTE.has(code)) return { code, meta: reader.uint(1) };
  if (code === CODES.string || code === CODES.enum || code === CODES.set) {
    const [first, second] = [reader.uint(1), reader.uint(1)];
    // two bits of the length are in the type, turned over
    if ((first & 0x30) !== 0x30) return { code: first | 0x30, meta: second | (((first & 0x30) ^ 0x30) << 4) };
    return { code: first, meta: second };
  }
  if (code === CODES.decimal) return { code, meta: (reader.uint(1) << 8) | reader.uint(1) };
  // varchar and bit
  return { code, meta: reader.uint(2) };
}
