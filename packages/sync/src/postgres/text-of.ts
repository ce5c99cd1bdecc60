import type { Column } from "../model.ts";
import { quoteName } from "./quote.ts";

/** The text of a column's value in its form, as an expression. Under the settings of a reader. */
export function textOf(column: Column): string {
  const name = quoteName(column.name);
  switch (column.form) {
    case undefined:
    case "text":
    case "trimmed": // the cast leaves the spaces of char(n) out
    case "number":
    case "uuid":
    case "date":
    case "date-or-null":
    case "bits":
    case "bytes":
    case "time":
      return `${name}::text`;
    case "decimal":
      return `trim_scale(${name})::text`;
    case "boolean":
      return `${name}::int::text`;
    case "float":
      return `${name}::float8::text`;
    case "timestamp":
    case "timestamp-or-null":
      return column.neutral.kind === "instant" ? `(${name} AT TIME ZONE 'UTC')::text` : `${name}::text`;
    default:
      return column.form satisfies never;
  }
}

/** The same for COPY, which writes most types' texts by itself, and faster. */
export function copied(column: Column): string {
  const { form, neutral } = column;
  const isByItself =
    form === undefined ||
    ["number", "uuid", "date", "bits", "bytes", "time"].includes(form) ||
    (form === "text" && neutral.kind !== "text") ||
    (neutral.kind === "text" && !neutral.isFixed) ||
    (form === "float" && neutral.kind === "float" && neutral.bits === 64) ||
    (form === "timestamp" && neutral.kind === "timestamp");
  return isByItself ? quoteName(column.name) : textOf(column);
}

/** What of a value goes into the hash of its row: the same text on both systems, and never a long one. NULL is `N`. */
export function hashedText(column: Column): string {
  const text = textOf(column);
  const shown = HASHED.has(column.form ?? "") ? `md5(${text})` : column.form === "float" ? floatDigits(text) : text;
  // bytes are hashed as they are
  return `coalesce(${column.form === "bytes" ? `md5(${quoteName(column.name)})` : shown}, 'N')`;
}

/** Forms that may hold any text. */
const HASHED: ReadonlySet<string> = new Set(["text", "trimmed"]);

/**
 * The digits of a float and the place of its point: systems show the same digits, one with an exponent and the other one
 * without. 0 and -0 are one.
 */
function floatDigits(text: string): string {
  const mantissa = `split_part(ltrim(${text}, '-'), 'e', 1)`;
  const exponent = `coalesce(nullif(split_part(${text}, 'e', 2), ''), '0')::int`;
  const digits = `replace(${mantissa}, '.', '')`;
  const point = `length(split_part(${mantissa}, '.', 1)) - (length(${digits}) - length(ltrim(${digits}, '0')))`;
  return `CASE WHEN ${text} ~ '[a-zA-Z]{3}' THEN ${text} WHEN trim('0' from ${digits}) = '' THEN '0' ELSE
    CASE WHEN ${text} LIKE '-%' THEN '-' ELSE '' END || trim('0' from ${digits}) || 'e' || (${point} + ${exponent})::text END`;
}
