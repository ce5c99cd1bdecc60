import type { Column } from "../model.ts";
import { quoteName, quoteText } from "./quote.ts";

/** The text of a column's value in its form, as an expression. Under the settings of a reader. */
export function textOf(column: Column): string {
  const name = quoteName(column.name);
  const { neutral } = column;
  switch (column.form) {
    case undefined:
    case "text":
      return `CONVERT(${name} USING utf8mb4)`;
    case "trimmed":
      return `TRIM(TRAILING ' ' FROM CONVERT(${name} USING utf8mb4))`;
    case "number":
    case "boolean":
      return column.type.includes("zerofill") ? `CAST(${name} + 0 AS CHAR)` : `CAST(${name} AS CHAR)`;
    case "decimal":
      return neutral.kind === "decimal" && neutral.scale !== 0 ? trimmed(name) : `CAST(${name} AS CHAR)`;
    case "float":
      return `CAST(${name} + 0e0 AS CHAR)`;
    case "bytes":
      return `CONCAT(${quoteText("\\x")}, LOWER(HEX(${name})))`;
    case "uuid":
      return neutral.kind === "bytes" ? hyphened(name) : `LOWER(CAST(${name} AS CHAR))`;
    case "date":
      return `CAST(${name} AS CHAR)`;
    case "date-or-null":
      return `IF(${isNoDay(name)}, NULL, CAST(${name} AS CHAR))`;
    case "time":
    case "timestamp":
      return "digits" in neutral && neutral.digits > 0 ? trimmed(name) : `CAST(${name} AS CHAR)`;
    case "timestamp-or-null":
      return `IF(${isNoDay(name)}, NULL, ${"digits" in neutral && neutral.digits > 0 ? trimmed(name) : `CAST(${name} AS CHAR)`})`;
    case "bits":
      return `LPAD(BIN(CAST(${name} AS UNSIGNED)), ${neutral.kind === "bits" ? neutral.length : 1}, '0')`;
    default:
      return column.form satisfies never;
  }
}

/** Without zeros at the end of what follows the point, which there is. */
const trimmed = (name: string): string => `TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(${name} AS CHAR)))`;

const hyphened = (name: string): string =>
  `LOWER(CONCAT_WS('-', ${[
    [1, 8],
    [9, 4],
    [13, 4],
    [17, 4],
    [21, 12],
  ]
    .map(([first, length]) => `SUBSTR(HEX(${name}), ${first}, ${length})`)
    .join(", ")}))`;

/** Zero and partial dates, the year 0, and days that their month does not have: of those the last ones alone are looked at closely. */
export const isNoDay = (name: string): string =>
  `(YEAR(${name}) = 0 OR MONTH(${name}) = 0 OR DAYOFMONTH(${name}) = 0 OR DAYOFMONTH(${name}) > 28 AND (LAST_DAY(${name}) IS NULL OR DAYOFMONTH(${name}) > DAYOFMONTH(LAST_DAY(CONCAT(LEFT(${name}, 7), '-01')))))`;

/** Forms that may hold any text. */
const ANY_TEXT: ReadonlySet<string | undefined> = new Set([undefined, "text", "trimmed"]);

/** A row as a line of COPY's text format, without its end: NULL where that is longer than the server's packets. */
export function lineOf(columns: readonly Column[]): string {
  return `CONCAT_WS('\\t', ${columns.map((column) => `IFNULL(${escaped(column)}, '\\\\N')`).join(", ")})`;
}

/** Beyond so many bytes a row is not made a line by the server: MariaDB moves all that follows for each character that it escapes. */
const LONG_BYTES = 65_536;

/** Beyond so many bytes the values of a row come in parts, where its key finds it again: mysql2 has a row in memory twice. */
const HUGE_BYTES = 8_388_608;

/** How a column's value comes where its row is long. */
export type LongField = "bytes" | "any-text" | "as-it-is";

/**
 * Rows with long values, whose columns come one by one: when a row is one, and of each column the expression and what is still to be done
 * with it. Undefined where no column may be long.
 */
export function longRows(columns: readonly Column[]):
  | {
      readonly condition: string;
      /** The same for those that come in parts. */
      readonly isHuge: string;
      /** How many values are NULL: another one that comes as NULL was longer than the server's packets. */
      readonly nulls: string;
      readonly fields: readonly { readonly what: LongField; readonly text: string }[];
    }
  | undefined {
  const mayBeLong = columns.filter(({ neutral }) => isLong(neutral));
  if (mayBeLong.length === 0) return undefined;
  const lengths = mayBeLong.map(({ name }) => `IFNULL(LENGTH(${quoteName(name)}), 0)`);
  return {
    condition: `${lengths.join(" + ")} > ${LONG_BYTES}`,
    isHuge: `${lengths.join(" + ")} > ${HUGE_BYTES}`,
    nulls: columns.map(({ name }) => `(${quoteName(name)} IS NULL)`).join(" + "),
    fields: columns.map((column) => {
      if (column.neutral.kind === "bytes" && column.form === "bytes")
        return { what: "bytes", text: quoteName(column.name) };
      if (ANY_TEXT.has(column.form)) return { what: "any-text", text: textOf(column) };
      return { what: "as-it-is", text: column.form === "bytes" ? escaped(column) : textOf(column) };
    }),
  };
}

/** Whether values of the type may be long. */
export function isLong(type: Column["neutral"]): boolean {
  if (type.kind === "bytes") return type.length === undefined || type.length >= LONG_BYTES;
  if (type.kind === "text") return type.length === undefined && (type.bytes === undefined || type.bytes >= LONG_BYTES);
  return type.kind === "json";
}

function escaped(column: Column): string {
  // the only backslash is its first character
  if (column.form === "bytes") return `CONCAT(${quoteText("\\\\x")}, LOWER(HEX(${quoteName(column.name)})))`;
  const text = textOf(column);
  if (!ANY_TEXT.has(column.form)) return text;
  // of bytes, which is faster: none of these is ever a part of another character
  const bytes = `CAST(${text} AS BINARY)`;
  return `REPLACE(REPLACE(REPLACE(REPLACE(${bytes}, '\\\\', '\\\\\\\\'), '\\t', '\\\\t'), '\\n', '\\\\n'), '\\r', '\\\\r')`;
}

/** What of a value goes into the hash of its row: the same text on both systems, and never a long one. NULL is `N`. */
export function hashedText(column: Column): string {
  const text = textOf(column);
  if (column.form === "bytes") return `IFNULL(SHA2(${quoteName(column.name)}, 256), 'N')`;
  if (ANY_TEXT.has(column.form)) return `IFNULL(SHA2(${text}, 256), 'N')`;
  return `IFNULL(${column.form === "float" ? floatBits(quoteName(column.name)) : text}, 'N')`;
}

/** A float as a whole number of 53 bits and an exponent of two, as PostgreSQL computes it there. */
function floatBits(name: string): string {
  const x = `(${name} + 0e0)`;
  const exponent = `CAST(FLOOR(LOG2(ABS(${x}))) AS SIGNED)`;
  const scaled = `(ABS(${x}) * POW(2, -(${exponent} DIV 2)) * POW(2, -(${exponent} - ${exponent} DIV 2)))`;
  const shift = `IF(${scaled} >= 2, 1, IF(${scaled} < 1, -1, 0))`;
  const bits = `CAST(${scaled} * POW(2, 52 - ${shift}) AS SIGNED)`;
  return `IF(${name} = 0, '0', CONCAT(IF(${name} < 0, '-', ''), ${bits}, 'p', ${exponent} + ${shift}))`;
}

/** A text in a column's form as a literal of the column's type. */
export function literalOf({ form, neutral }: Column, text: string): string {
  if (form === "bytes") return `x'${text.slice(2)}'`;
  if (form === "bits") return `b'${text}'`;
  if (form === "uuid" && neutral.kind === "bytes") return `x'${text.replaceAll("-", "")}'`;
  return quoteText(text);
}

/** The same as an expression, of a text that another one gives; undefined where the server takes the text by itself. */
export function parsed({ form, neutral }: Column, expression: string): string | undefined {
  if (form === "bytes") return `UNHEX(SUBSTR(${expression}, 3))`;
  if (form === "bits") return `CAST(CONV(${expression}, 2, 10) AS UNSIGNED)`;
  if (form === "uuid" && neutral.kind === "bytes") return `UNHEX(REPLACE(${expression}, '-', ''))`;
  return undefined;
}
