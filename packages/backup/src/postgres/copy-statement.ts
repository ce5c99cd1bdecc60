import type { BackedUpTable } from "../format/manifest.ts";
import type { PageRange } from "./plan.ts";
import { quoteName, quoteTable } from "./quote.ts";

/** What of a table says how its rows are read. */
type CopiedTable = Pick<BackedUpTable, "schema" | "name" | "columns" | "form">;

export function copyOutStatement(table: CopiedTable, pages?: PageRange): string {
  const columns = table.columns.map(quoteName).join(", ");
  const from = `SELECT ${columns} FROM ONLY ${quoteTable(table)}`;
  const to = `TO STDOUT${formOf(table)}`;
  if (pages === undefined) return `COPY (${from}) ${to}`;
  const end = pages.to === undefined ? "" : ` AND ctid < '(${pages.to},0)'::tid`;
  return `COPY (${from} WHERE ctid >= '(${pages.from},0)'::tid${end}) ${to}`;
}

export function copyInStatement(table: CopiedTable): string {
  const columns = table.columns.length === 0 ? "" : ` (${table.columns.map(quoteName).join(", ")})`;
  return `COPY ${quoteTable(table)}${columns} FROM STDIN${formOf(table)}`;
}

/** What a COPY of these rows ends with. */
const formOf = ({ form }: Pick<BackedUpTable, "form">): string => (form === "binary" ? " (FORMAT binary)" : "");
