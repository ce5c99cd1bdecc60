import { type Form, formed, type NeutralType, type Table } from "@mirrorpool/sync/for-other-jobs";
import type { BackedUpColumn } from "../format/manifest.ts";

/** The form in which a value of MariaDB and MySQL comes back as it is, and others understand it. Pure. */
function formOf(type: NeutralType): Form {
  switch (type.kind) {
    case "boolean": // tinyint(1), which has room for other numbers
    case "integer":
    case "decimal":
    case "year":
      return "number";
    case "float":
      return "float";
    case "bytes":
    case "geometry":
      return "bytes";
    case "uuid":
      return "uuid";
    case "date":
      return "date";
    case "time":
      return "time";
    case "timestamp":
    case "instant":
      return "timestamp";
    case "bits":
      return "bits";
    case "own":
      return type.name === "vector" ? "bytes" : "text";
    case "text":
    case "json":
    case "enum":
    case "set":
      return "text";
    default:
      return type satisfies never;
  }
}

/** With the form of each column. Pure. */
export const withForms = (table: Table): Table =>
  formed(table, new Map(table.columns.map(({ name, neutral }) => [name, formOf(neutral)])));

/** The same table with the columns that a backup has, in their order and forms. Pure. */
export function asBackedUp(table: Table, columns: readonly BackedUpColumn[]): Table {
  const byName = new Map(table.columns.map((column) => [column.name, column]));
  const chosen = columns.flatMap(({ name }) => byName.get(name) ?? []);
  return formed({ ...table, columns: chosen }, new Map(columns.map(({ name, form = "text" }) => [name, form])));
}
