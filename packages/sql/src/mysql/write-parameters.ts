import { type Piece, textOf } from "../piece.ts";

/**
 * The text of a part of a statement with the values of its parameters written into it; undefined where a value has no obvious text.
 * @param whole the statement, whose first parameter has the first value
 */
export function writeParameters(
  part: Piece,
  whole: Piece,
  values: readonly unknown[],
  quote: (value: string) => string,
): string | undefined {
  const places = whole.spans.filter((_, index) => whole.tokens[index]?.kind === "parameter");
  const start = part.spans[0]?.start ?? 0;
  const end = part.spans.at(-1)?.end ?? 0;
  let text = "";
  let copied = start;
  for (const [index, place] of places.entries()) {
    if (place.start < start || place.end > end) continue;
    const written = literal(values[index], quote);
    if (written === undefined) return undefined;
    text += part.sql.slice(copied, place.start) + written;
    copied = place.end;
  }
  return copied === start ? textOf(part) : text + part.sql.slice(copied, end);
}

/** Only of what has one obvious text: how a library writes other values is its own affair. */
function literal(value: unknown, quote: (value: string) => string): string | undefined {
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "string") return quote(value);
  const isPlain = typeof value === "bigint" || typeof value === "boolean" || Number.isFinite(value);
  return isPlain ? String(value) : undefined;
}
