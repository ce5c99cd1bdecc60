import type { Column } from "../../model.ts";
import { decodeText } from "./charset.ts";
import { decimalText } from "./decimal.ts";
import { floatText } from "./float-text.ts";
import { jsonText } from "./json-text.ts";
import { CODES, type ColumnMap } from "./table-map.ts";
import { dateText, datetimeText, isNoDay, timestampText, timeText, trimmedFraction } from "./temporal.ts";
import { uuidText } from "./uuid-text.ts";

/** What the server's catalogue says of a column, as far as its bytes in the log do not. */
export interface ToldColumn {
  readonly name: string;
  /** Such as `decimal`. */
  readonly data: string;
  /** Such as `decimal(10,2) unsigned`. */
  readonly type: string;
  readonly charset: string | null;
  /** Most bytes of a text, or of bytes. */
  readonly bytes: number | undefined;
  readonly precision: number | undefined;
  readonly scale: number | undefined;
  readonly digits: number | undefined;
}

/** The text of a value in the form of its column: the one that the server itself would give for it. Pure. */
export function valueText(raw: Buffer, { code, meta }: ColumnMap, told: ToldColumn, column: Column): string | null {
  switch (code) {
    case CODES.tiny:
    case CODES.short:
    case CODES.int24:
    case CODES.long:
    case CODES.longlong:
      return wholeText(raw, told.type.includes("unsigned"));
    case CODES.year:
      return raw[0] === 0 ? "0000" : String(1900 + (raw[0] ?? 0));
    case CODES.float:
      return floatText(raw.readFloatLE(0));
    case CODES.double:
      return floatText(raw.readDoubleLE(0));
    case CODES.decimal: {
      const text = decimalText(raw, meta >> 8, meta & 0xff);
      return column.form === "decimal" ? trimmedFraction(text) : text;
    }
    case CODES.bit: {
      const length = column.neutral.kind === "bits" ? column.neutral.length : 1;
      return BigInt(`0x${raw.toString("hex")}`)
        .toString(2)
        .padStart(length, "0");
    }
    case CODES.date:
      return dayText(dateText(raw), column);
    case CODES.datetime:
      return dayText(trimmedFraction(datetimeText(raw, meta)), column);
    case CODES.timestamp:
      return dayText(trimmedFraction(timestampText(raw, meta)), column);
    case CODES.time:
      return trimmedFraction(timeText(raw, meta));
    case CODES.enum:
      return labelsOf(column)[raw.readUIntLE(0, raw.length) - 1] ?? "";
    case CODES.set: {
      const chosen = BigInt(`0x${Buffer.from(raw).reverse().toString("hex")}`);
      return labelsOf(column)
        .filter((_, index) => ((chosen >> BigInt(index)) & 1n) === 1n)
        .join(",");
    }
    case CODES.json:
      return jsonText(raw);
    default:
      return bytesText(raw, told, column);
  }
}

function wholeText(raw: Buffer, isUnsigned: boolean): string {
  if (raw.length === 8) return String(isUnsigned ? raw.readBigUInt64LE(0) : raw.readBigInt64LE(0));
  return String(isUnsigned ? raw.readUIntLE(0, raw.length) : raw.readIntLE(0, raw.length));
}

const dayText = (text: string, { form }: Column): string | null =>
  form?.endsWith("-or-null") === true && isNoDay(text) ? null : text;

const labelsOf = ({ neutral }: Column): readonly string[] => ("labels" in neutral ? neutral.labels : []);

/** Texts, bytes, and types of MariaDB that lie in the log as bytes of a length. */
function bytesText(raw: Buffer, { charset, data, bytes }: ToldColumn, { form }: Column): string {
  if (charset !== null) {
    const text = decodeText(raw, charset);
    if (form === "uuid") return text.toLowerCase();
    return form === "trimmed" ? text.replace(/ +$/, "") : text;
  }
  switch (data) {
    case "uuid":
      return uuidText(filled(raw, 16));
    case "inet6":
      return inet6Text(filled(raw, 16));
    case "inet4":
      return [...filled(raw, 4)].join(".");
    case "binary": {
      const whole = filled(raw, bytes ?? raw.length);
      return form === "uuid" ? uuidText(whole) : `\\x${whole.toString("hex")}`;
    }
    default:
      return `\\x${raw.toString("hex")}`;
  }
}

/** The log leaves zeros at the end of bytes of a fixed length out. */
function filled(raw: Buffer, length: number): Buffer {
  if (raw.length >= length) return raw;
  const whole = Buffer.alloc(length);
  raw.copy(whole);
  return whole;
}

/** As the server writes it: the longest run of zeros is left out, and the last four bytes of an IPv4 address are in its own words. */
function inet6Text(bytes: Buffer): string {
  const isLow = bytes.subarray(0, 10).every((byte) => byte === 0);
  const four = [...bytes.subarray(12)].join(".");
  if (isLow && bytes.readUInt16BE(10) === 0xffff) return `::ffff:${four}`;
  if (isLow && bytes.readUInt16BE(10) === 0 && bytes.readUInt32BE(12) > 1) return `::${four}`;
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  const runs = [
    ...groups
      .map((each) => (each === "0" ? "0" : "x"))
      .join("")
      .matchAll(/00+/g),
  ];
  const longest = runs.reduce<RegExpExecArray | undefined>(
    (best, run) => (best === undefined || run[0].length > best[0].length ? run : best),
    undefined,
  );
  if (longest === undefined) return groups.join(":");
  const { index, 0: run } = longest;
  return `${groups.slice(0, index).join(":")}::${groups.slice(index + run.length).join(":")}`;
}
