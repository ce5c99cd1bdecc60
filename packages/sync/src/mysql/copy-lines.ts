const NEWLINE = 0x0a;

/** Whole lines of COPY's text, and what is left for the next piece. A line never has a newline within. Pure. */
export function splitLines(
  before: Uint8Array,
  piece: Uint8Array,
): { readonly lines: readonly string[]; readonly rest: Uint8Array } {
  const bytes =
    before.length === 0
      ? Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength)
      : Buffer.concat([before, piece]);
  const end = bytes.lastIndexOf(NEWLINE);
  if (end < 0) return { lines: [], rest: bytes };
  return { lines: bytes.toString("utf8", 0, end).split("\n"), rest: bytes.subarray(end + 1) };
}

/** The values of a line. Pure. */
export const valuesOf = (line: string): readonly (string | null)[] =>
  line.split("\t").map((value) => (value === "\\N" ? null : unescaped(value)));

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v" };

const unescaped = (value: string): string =>
  value.includes("\\") ? value.replaceAll(/\\(.)/gs, (_, letter: string) => ESCAPES[letter] ?? letter) : value;
