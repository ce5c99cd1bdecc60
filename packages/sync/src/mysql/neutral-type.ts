import type { NeutralType } from "../types/neutral.ts";

/** What `information_schema.COLUMNS` says of a column. */
export interface MysqlType {
  /** Such as `decimal(10,2)` or `enum('a','b')`. */
  readonly column: string;
  /** Such as `decimal`. */
  readonly data: string;
  readonly characters: string | null;
  readonly bytes: string | null;
  readonly charset: string | null;
  readonly precision: string | null;
  readonly scale: string | null;
  readonly digits: string | null;
}

const INTEGERS: Readonly<Record<string, 8 | 16 | 24 | 32 | 64>> = {
  tinyint: 8,
  smallint: 16,
  mediumint: 24,
  int: 32,
  bigint: 64,
};
/** Character sets that have every character. */
const UNICODE: ReadonlySet<string> = new Set(["utf8mb4", "utf16", "utf16le", "utf32", "gb18030"]);
/** Beyond this no text is bounded but by the server's packets. */
const LONGEST = 4_294_967_295;

/** Pure. */
export function neutralType(type: MysqlType): NeutralType {
  const { column, data } = type;
  const digits = Number(type.digits ?? 0);
  switch (data) {
    case "tinyint":
    case "smallint":
    case "mediumint":
    case "int":
    case "bigint":
      if (column.startsWith("tinyint(1)") && !column.includes("unsigned")) return { kind: "boolean" };
      return { kind: "integer", bits: INTEGERS[data] as 8, isUnsigned: column.includes("unsigned") };
    case "decimal":
      return { kind: "decimal", precision: Number(type.precision), scale: Number(type.scale) };
    case "float":
      return { kind: "float", bits: 32 };
    case "double":
      return { kind: "float", bits: 64 };
    case "char":
    case "varchar":
    case "tinytext":
    case "text":
    case "mediumtext":
    case "longtext":
      return textType(type);
    case "binary":
    case "varbinary":
    case "tinyblob":
    case "blob":
    case "mediumblob":
    case "longblob":
      return { kind: "bytes", length: bounded(type.bytes) };
    case "date":
      return { kind: "date" };
    case "time":
      return { kind: "time", digits };
    case "datetime":
      return { kind: "timestamp", digits };
    case "timestamp":
      return { kind: "instant", digits };
    case "year":
      return { kind: "year" };
    case "json":
      return { kind: "json", isNormalized: true };
    case "enum":
    case "set":
      return { kind: data, labels: labelsOf(column) };
    case "bit":
      return { kind: "bits", length: Number(type.precision ?? 1) };
    case "uuid":
      return { kind: "uuid" };
    case "geometry":
    case "point":
    case "linestring":
    case "polygon":
    case "multipoint":
    case "multilinestring":
    case "multipolygon":
    case "geometrycollection":
    case "geomcollection":
      return { kind: "geometry" };
    default:
      return { kind: "own", name: data };
  }
}

function textType({ data, characters, bytes, charset }: MysqlType): NeutralType {
  const hasLength = data === "char" || data === "varchar";
  return {
    kind: "text",
    length: hasLength ? Number(characters) : undefined,
    bytes: hasLength ? undefined : bounded(bytes),
    isFixed: data === "char",
    isUnicode: UNICODE.has(charset ?? "utf8mb4"),
  };
}

function bounded(bytes: string | null): number | undefined {
  const count = Number(bytes);
  return bytes === null || count >= LONGEST ? undefined : count;
}

/** Labels as the server writes them: in quotes, these doubled, and some characters behind a backslash. */
function labelsOf(column: string): readonly string[] {
  const inside = column.slice(column.indexOf("(") + 1, column.lastIndexOf(")"));
  return [...inside.matchAll(/'((?:[^'\\]|''|\\.)*)'/gs)].map(([, label = ""]) =>
    label.replaceAll(/''|\\(.)/gs, (_, escaped?: string) =>
      escaped === undefined ? "'" : (ESCAPED[escaped] ?? escaped),
    ),
  );
}

const ESCAPED: Readonly<Record<string, string>> = { "0": "\0", n: "\n", r: "\r" };
