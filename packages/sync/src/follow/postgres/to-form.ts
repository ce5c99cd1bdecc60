import type { ChangedRow, Column } from "../../model.ts";

type Convert = (text: string) => string;

/** What brings PostgreSQL's own text of a value into the form of its column; undefined where that is the same. */
function converterOf({ form, neutral }: Column): Convert | undefined {
  switch (form) {
    case "boolean":
      return (text) => (text === "t" ? "1" : text === "f" ? "0" : text);
    case "decimal":
      return (text) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);
    case "float":
      // the digits of a short float are those of a short one: the nearest double has more
      return neutral.kind === "float" && neutral.bits === 32 ? doubleOf : undefined;
    case "trimmed":
      return (text) => text.replace(/ +$/, "");
    case "timestamp":
    case "timestamp-or-null":
      // the session's time zone is UTC
      return neutral.kind === "instant" ? (text) => text.replace("+00", "") : undefined;
    case "text":
      return neutral.kind === "own" && neutral.name === "inet" ? withMask : undefined;
    default:
      return undefined;
  }
}

const doubleOf: Convert = (text) => {
  const value = Math.fround(Number(text));
  if (!Number.isFinite(value)) return text;
  return Object.is(value, -0) ? "-0" : String(value);
};

/** As its cast to text shows it. */
const withMask: Convert = (text) => (text.includes("/") ? text : `${text}/${text.includes(":") ? 128 : 32}`);

/** What brings the rows of a table into the forms of its columns; undefined where they are as they come. */
export function rowConverter(columns: readonly Column[]): ((row: ChangedRow) => ChangedRow) | undefined {
  const converters = columns.map(converterOf);
  if (converters.every((convert) => convert === undefined)) return undefined;
  return (row) =>
    row.map((text, index) => {
      const convert = converters[index];
      return convert === undefined || typeof text !== "string" ? text : convert(text);
    });
}
