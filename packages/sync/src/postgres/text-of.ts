import type { Column } from "../model.ts";
import type { NeutralType } from "../types/neutral.ts";
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
    (form === "text" && neutral.kind !== "text" && !isInet(neutral)) ||
    (neutral.kind === "text" && !neutral.isFixed) ||
    (form === "float" && neutral.kind === "float" && neutral.bits === 64) ||
    (form === "timestamp" && neutral.kind === "timestamp");
  return isByItself ? quoteName(column.name) : textOf(column);
}

/** Its cast shows more than the type itself does. */
const isInet = (type: NeutralType): boolean => type.kind === "own" && type.name === "inet";

/** What of a value goes into the hash of its row: the same text on both systems, and never a long one. NULL is `N`. */
export function hashedText(column: Column): string {
  const text = textOf(column);
  if (column.form === "bytes") return `coalesce(${sha256(quoteName(column.name))}, 'N')`;
  const shown = HASHED.has(column.form ?? "") ? sha256(`convert_to(${text}, 'UTF8')`) : text;
  return `coalesce(${column.form === "float" ? floatBits(column) : shown}, 'N')`;
}

/** Of bytes. The only hash that all of these systems have by themselves. */
export const sha256 = (bytes: string): string => `encode(sha256(${bytes}), 'hex')`;

/** Forms that may hold any text. */
const HASHED: ReadonlySet<string> = new Set(["text", "trimmed"]);

/**
 * A float as a whole number of 53 bits and an exponent of two: the shortest digits are not the same ones on all systems. All of it is
 * exact but the logarithm, which may be off by one, and is put right. 0 and -0 are one.
 */
function floatBits(column: Column): string {
  const x = `${quoteName(column.name)}::float8`;
  const exponent = `floor(ln(abs(${x})) / 0.6931471805599453)::int`;
  // in two steps: no power of two is out of range then
  const scaled = `(abs(${x}) * power(2::float8, -(${exponent} / 2)) * power(2::float8, -(${exponent} - ${exponent} / 2)))`;
  const shift = `(CASE WHEN ${scaled} >= 2 THEN 1 WHEN ${scaled} < 1 THEN -1 ELSE 0 END)`;
  const bits = `(${scaled} * power(2::float8, 52 - ${shift}))::int8::text`;
  return `CASE WHEN ${x} = 0 THEN '0' WHEN ${x}::text IN ('NaN', 'Infinity', '-Infinity') THEN ${x}::text
    ELSE CASE WHEN ${x} < 0 THEN '-' ELSE '' END || ${bits} || 'p' || (${exponent} + ${shift})::text END`;
}
