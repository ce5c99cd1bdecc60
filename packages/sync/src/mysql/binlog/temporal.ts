/** Texts of dates and times as the server writes them, by whole numbers alone (MySQL source, `my_time.cc`). All pure. */

const two = (value: number): string => String(value).padStart(2, "0");
const four = (value: number): string => String(value).padStart(4, "0");

export function dateText(raw: Buffer): string {
  const value = raw.readUIntLE(0, 3);
  return `${four(value >> 9)}-${two((value >> 5) & 15)}-${two(value & 31)}`;
}

/** Of the digits that a column has; they lie in one byte for two of them. */
function fractionText(value: number, digits: number): string {
  if (digits === 0) return "";
  const padded = digits % 2 === 0 ? digits : digits + 1;
  return `.${String(value).padStart(padded, "0").slice(0, digits)}`;
}

const fractionOf = (raw: Buffer, at: number): number => (raw.length > at ? raw.readUIntBE(at, raw.length - at) : 0);

export function datetimeText(raw: Buffer, digits: number): string {
  // 40 bits: sign, year * 13 + month (17), day (5), hour (5), minute (6), second (6)
  const packed = BigInt(raw.readUIntBE(0, 5)) - 0x8000000000n;
  const bits = (shift: bigint, count: number): number => Number((packed >> shift) & ((1n << BigInt(count)) - 1n));
  const months = bits(22n, 17);
  const date = `${four(Math.floor(months / 13))}-${two(months % 13)}-${two(bits(17n, 5))}`;
  const time = `${two(bits(12n, 5))}:${two(bits(6n, 6))}:${two(bits(0n, 6))}`;
  return `${date} ${time}${fractionText(fractionOf(raw, 5), digits)}`;
}

/** In UTC. */
export function timestampText(raw: Buffer, digits: number): string {
  const seconds = raw.readUInt32BE(0);
  const fraction = fractionText(fractionOf(raw, 4), digits);
  if (seconds === 0) return `0000-00-00 00:00:00${fraction}`;
  // whole seconds: nothing is lost
  return `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")}${fraction}`;
}

export function timeText(raw: Buffer, digits: number): string {
  const width = raw.length;
  const fractionBits = BigInt((width - 3) * 8);
  // a negative one is the distance from the middle, with its fraction
  const packed = BigInt(raw.readUIntBE(0, width)) - (1n << (23n + fractionBits));
  const isNegative = packed < 0n;
  const size = isNegative ? -packed : packed;
  const whole = Number(size >> fractionBits);
  const fraction = Number(size & ((1n << fractionBits) - 1n));
  const hours = two((whole >> 12) & 1023);
  return `${isNegative ? "-" : ""}${hours}:${two((whole >> 6) & 63)}:${two(whole & 63)}${fractionText(fraction, digits)}`;
}

/** Without zeros at the end of the fraction. */
export const trimmedFraction = (text: string): string =>
  text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text;

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether a date, or what begins with one, is no day of the calendar. */
export function isNoDay(text: string): boolean {
  const [year, month, day] = [Number(text.slice(0, 4)), Number(text.slice(5, 7)), Number(text.slice(8, 10))];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return year === 0 || month === 0 || day === 0 || day > (month === 2 && !isLeap ? 28 : (DAYS[month - 1] ?? 0));
}
