import type { LongField } from "./text-of.ts";

/** So much of a value is made text at once. */
const SLICE_BYTES = 65_536;
const BACKSLASH = 0x5c;

/** What stands behind a backslash for a byte that COPY's text escapes. */
const LETTERS: ReadonlyMap<number, number> = new Map([
  [BACKSLASH, BACKSLASH],
  [0x09, 0x74],
  [0x0a, 0x6e],
  [0x0d, 0x72],
]);

/** A row as a line of COPY's text, without its end, piece by piece: it may be as long as all of memory allows. Pure. */
export function* longLine(
  fields: readonly (Buffer | null)[],
  whats: readonly LongField[],
): Generator<Buffer, undefined, undefined> {
  for (const [place, value] of fields.entries()) {
    if (place > 0) yield Buffer.from("\t");
    if (value === null) {
      yield Buffer.from("\\N");
      continue;
    }
    const what = whats[place] ?? "as-it-is";
    yield beginningOf(what);
    yield* shown(value, what);
  }
  return undefined;
}

/** What a value begins with. Pure. */
export const beginningOf = (what: LongField): Buffer => Buffer.from(what === "bytes" ? "\\\\x" : "");

/** A value, or a part of one, as it stands in a line. Pure. */
export function* shown(value: Buffer, what: LongField): Generator<Buffer, undefined, undefined> {
  for (let from = 0; from < value.length; from += SLICE_BYTES) {
    const slice = value.subarray(from, from + SLICE_BYTES);
    if (what === "bytes") yield Buffer.from(slice.toString("hex"), "latin1");
    else yield what === "any-text" ? escapedSlice(slice) : slice;
  }
  return undefined;
}

function escapedSlice(slice: Buffer): Buffer {
  const escaped = Buffer.allocUnsafe(2 * slice.length);
  let at = 0;
  for (const byte of slice) {
    const letter = LETTERS.get(byte);
    if (letter !== undefined) {
      escaped[at] = BACKSLASH;
      at += 1;
    }
    escaped[at] = letter ?? byte;
    at += 1;
  }
  return escaped.subarray(0, at);
}
