import { decimalText } from "./decimal.ts";
import { jsonDouble } from "./float-text.ts";
import { CODES } from "./table-map.ts";

/** A JSON value of MySQL as the server shows it, from the form in which it keeps it (MySQL source, `json_binary.h`). Pure. */
export function jsonText(raw: Buffer): string {
  // an empty one is what a statement that ignores errors leaves behind
  return raw.length === 0 ? "null" : value(raw[0] ?? 0, raw.subarray(1));
}

function value(type: number, bytes: Buffer): string {
  switch (type) {
    case 0x00:
    case 0x01:
      return container(bytes, type === 0x01, true);
    case 0x02:
    case 0x03:
      return container(bytes, type === 0x03, false);
    case 0x04:
      return ["null", "true", "false"][bytes[0] ?? 0] ?? "null";
    case 0x05:
      return String(bytes.readInt16LE(0));
    case 0x06:
      return String(bytes.readUInt16LE(0));
    case 0x07:
      return String(bytes.readInt32LE(0));
    case 0x08:
      return String(bytes.readUInt32LE(0));
    case 0x09:
      return String(bytes.readBigInt64LE(0));
    case 0x0a:
      return String(bytes.readBigUInt64LE(0));
    case 0x0b:
      return jsonDouble(bytes.readDoubleLE(0));
    case 0x0c:
      return quoted(sized(bytes).toString("utf8"));
    case 0x0f:
      return opaque(bytes[0] ?? 0, sized(bytes.subarray(1)));
    default:
      throw new Error(`the binary log has a JSON value of a type that is not known (${type})`);
  }
}

/** An object or an array: counts, then where keys and values lie, counted from its beginning. */
function container(bytes: Buffer, isLarge: boolean, isObject: boolean): string {
  const width = isLarge ? 4 : 2;
  const count = bytes.readUIntLE(0, width);
  const keys = 2 * width;
  const keyWidth = width + 2;
  const values = keys + (isObject ? count * keyWidth : 0);
  const parts: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = values + index * (1 + width);
    const type = bytes[at] ?? 0;
    const place = bytes.subarray(at + 1);
    const isHere = type === 0x04 || type === 0x05 || type === 0x06 || (isLarge && (type === 0x07 || type === 0x08));
    const text = value(type, isHere ? place : bytes.subarray(place.readUIntLE(0, width)));
    if (!isObject) parts.push(text);
    else {
      const key = keys + index * keyWidth;
      const from = bytes.readUIntLE(key, width);
      parts.push(`${quoted(bytes.toString("utf8", from, from + bytes.readUInt16LE(key + width)))}: ${text}`);
    }
  }
  return isObject ? `{${parts.join(", ")}}` : `[${parts.join(", ")}]`;
}

/** Behind its length, seven bits a byte, the lowest ones first. */
function sized(bytes: Buffer): Buffer {
  let length = 0;
  let at = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++] ?? 0;
    length += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return bytes.subarray(at, at + length);
  }
}

/** Values of other types in JSON. */
function opaque(type: number, bytes: Buffer): string {
  switch (type) {
    case CODES.decimal:
      return decimalText(bytes.subarray(2), bytes[0] ?? 0, bytes[1] ?? 0);
    case CODES.date:
      return `"${day(bytes.readBigInt64LE(0))}"`;
    case CODES.datetimeBefore:
    case CODES.timestampBefore: {
      const packed = bytes.readBigInt64LE(0);
      return `"${day(packed)} ${time(packed, 5)}"`;
    }
    case CODES.timeBefore: {
      const packed = bytes.readBigInt64LE(0);
      return `"${packed < 0n ? "-" : ""}${time(packed < 0n ? -packed : packed, 10)}"`;
    }
    default:
      return quoted(`base64:type${type}:${bytes.toString("base64").replaceAll(/(.{76})(?=.)/g, "$1\n")}`);
  }
}

const bits = (packed: bigint, shift: number, count: number): number =>
  Number((packed >> BigInt(shift)) & ((1n << BigInt(count)) - 1n));
const padded = (number: number, digits: number): string => String(number).padStart(digits, "0");

function day(packed: bigint): string {
  const months = bits(packed, 46, 17);
  return `${padded(Math.floor(months / 13), 4)}-${padded(months % 13, 2)}-${padded(bits(packed, 41, 5), 2)}`;
}

function time(packed: bigint, hourBits: number): string {
  const [hours, minutes, seconds] = [bits(packed, 36, hourBits), bits(packed, 30, 6), bits(packed, 24, 6)];
  return `${padded(hours, 2)}:${padded(minutes, 2)}:${padded(seconds, 2)}.${padded(bits(packed, 0, 24), 6)}`;
}

const ESCAPED: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

const quoted = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what JSON escapes
  `"${text.replaceAll(/["\\\u0000-\u001f]/g, (each) => ESCAPED[each] ?? `\\u${padded16(each)}`)}"`;

const padded16 = (each: string): string => each.charCodeAt(0).toString(16).padStart(4, "0");
