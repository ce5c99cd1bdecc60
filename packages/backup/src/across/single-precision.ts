const NUMBER = /^([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/**
 * The text of a float of 32 bits as one of 64 bits, which is read back as the very same float: MariaDB and MySQL read every number as
 * 64 bits first, and would round twice. What is no number comes back as it is. Pure.
 */
export function asDouble(text: string): string {
  const read = Number(text);
  if (!Number.isFinite(read) || read === 0) return text;
  return String(nearest(text, read));
}

function nearest(text: string, read: number): number {
  const float = Math.fround(read);
  if (float === read) return float;
  const other = neighbour(float, read > float);
  // half way between two: the digits that a float of 64 bits has no room for decide
  if (Math.abs(read - float) !== Math.abs(other - read)) return float;
  const order = compare(text, read);
  if (order === 0) return float;
  const [low, high] = float < other ? [float, other] : [other, float];
  return order > 0 ? high : low;
}

/** The next float of 32 bits above, or below. */
function neighbour(float: number, isAbove: boolean): number {
  const floats = Float32Array.of(float);
  const bits = new Int32Array(floats.buffer);
  const step = isAbove === float > 0 ? 1 : -1;
  bits[0] = (bits[0] ?? 0) + step;
  return floats[0] ?? float;
}

/** Whether a decimal number is above (1) or below (-1) a float of 64 bits, or the same. */
function compare(text: string, read: number): number {
  const [one, other] = [fraction(text), fraction(exact(read))];
  const places = Math.max(one.places, other.places);
  const [left, right] = [one, other].map(({ digits, places: own }) => digits * 10n ** BigInt(places - own));
  return left === right ? 0 : (left ?? 0n) > (right ?? 0n) ? 1 : -1;
}

/** A decimal number as a whole one, and how many of its digits follow the point. */
function fraction(text: string): { readonly digits: bigint; readonly places: number } {
  const [, sign = "", whole = "0", part = "", exponent = "0"] = NUMBER.exec(text) ?? [];
  const places = part.length - Number(exponent);
  const digits = BigInt(`${sign === "-" ? "-" : ""}${whole}${part}`);
  return places >= 0 ? { digits, places } : { digits: digits * 10n ** BigInt(-places), places: 0 };
}

/** All digits of a float of 64 bits. */
function exact(value: number): string {
  let [whole, places] = [value, 0];
  while (!Number.isInteger(whole)) [whole, places] = [whole * 2, places + 1];
  // whole / 2^places is whole * 5^places / 10^places
  return `${BigInt(whole) * 5n ** BigInt(places)}e-${places}`;
}
