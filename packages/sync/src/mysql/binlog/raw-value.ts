import { decimalBytes } from "./decimal.ts";
import type { Reader } from "./reader.ts";
import { CODES, type ColumnMap } from "./table-map.ts";

/** Bytes of a value, by its type; for the others the log says how many. */
const SIZES: Readonly<Record<number, number>> = {
  [CODES.tiny]: 1,
  [CODES.short]: 2,
  [CODES.int24]: 3,
  [CODES.long]: 4,
  [CODES.longlong]: 8,
  [CODES.float]: 4,
  [CODES.double]: 8,
  [CODES.year]: 1,
  [CODES.date]: 3,
  [CODES.timeBefore]: 3,
  [CODES.timestampBefore]: 4,
  [CODES.datetimeBefore]: 8,
};

const fractionBytes = (digits: number): number => (digits + 1) >> 1;

/** The bytes of the next value of a row. @throws {Error} for a type that the log should not have */
export function rawValue(reader: Reader, { code, meta }: ColumnMap): Buffer {
  const size = SIZES[code];
  if (size !== undefined) return reader.bytes(size);
  switch (code) {
    case CODES.timestamp:
      return reader.bytes(4 + fractionBytes(meta));
    case CODES.datetime:
      return reader.bytes(5 + fractionBytes(meta));
    case CODES.time:
      return reader.bytes(3 + fractionBytes(meta));
    case CODES.decimal:
      return reader.bytes(decimalBytes(meta >> 8, meta & 0xff));
    case CODES.bit:
      return reader.bytes((meta >> 8) + ((meta & 0xff) === 0 ? 0 : 1));
    case CODES.enum:
    case CODES.set:
      return reader.bytes(meta);
    case CODES.varchar:
    case CODES.string:
    case 141:
    case 253:
      return reader.bytes(reader.uint(meta > 255 ? 2 : 1));
    case CODES.blob:
    case CODES.json:
    case CODES.geometry:
    case 140:
    case 242:
    case 249:
    case 250:
    case 251:
      return reader.bytes(reader.uint(meta));
    default:
      throw new Error(`the binary log has a column of a type that is not known (${code})`);
  }
}
