import type { ReservedConnection } from "@mirrorpool/core";
import { type FileFormat, writeFile } from "../format/file.ts";
import type { StoredFile } from "../format/manifest.ts";
import { CopyContent } from "./copy-content.ts";
import { quoteName, quoteTable } from "./names.ts";
import type { PageRange, PlannedTable } from "./plan.ts";

/** Streams a part of a table from the server into a file. Where it fails the connection is released: it is amid an answer. */
export async function readChunk(
  connection: ReservedConnection,
  table: PlannedTable,
  pages: PageRange | undefined,
  format: FileFormat,
  file: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<StoredFile & { readonly rows: number }> {
  const content = new CopyContent(connection, copyStatement(table, pages), signal);
  try {
    const stored = await writeFile(format, file, content, signal, onBytes);
    return { ...stored, rows: content.rows };
  } catch (error) {
    connection.release();
    throw error;
  }
}

/** What of a table says how its rows are read. */
type CopiedTable = Pick<PlannedTable, "schema" | "name" | "columns" | "form">;

export function copyStatement(table: CopiedTable, pages?: PageRange): string {
  const columns = table.columns.map(quoteName).join(", ");
  const from = `SELECT ${columns} FROM ONLY ${quoteTable(table)}`;
  const to = `TO STDOUT${formOf(table)}`;
  if (pages === undefined) return `COPY (${from}) ${to}`;
  const end = pages.to === undefined ? "" : ` AND ctid < '(${pages.to},0)'::tid`;
  return `COPY (${from} WHERE ctid >= '(${pages.from},0)'::tid${end}) ${to}`;
}

/** What a COPY of these rows ends with. */
export const formOf = ({ form }: Pick<PlannedTable, "form">): string => (form === "binary" ? " (FORMAT binary)" : "");
