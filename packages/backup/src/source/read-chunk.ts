import type { ReservedConnection } from "@mirrorpool/core";
import { type QueryObject, submit } from "@mirrorpool/pg";
import { to as copyTo } from "pg-copy-streams";
import { type FileFormat, writeFile } from "../format/file.ts";
import type { StoredFile } from "../format/manifest.ts";
import type { SourceTable } from "./catalogue.ts";
import { quoteName, quoteTable } from "./names.ts";
import type { PageRange } from "./plan.ts";

/** Streams a part of a table from the server into a file. Where it fails the connection is released: it is amid an answer. */
export async function readChunk(
  connection: ReservedConnection,
  table: SourceTable,
  pages: PageRange | undefined,
  format: FileFormat,
  file: string,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<StoredFile & { readonly rows: number }> {
  const stream = copyTo(copyStatement(table, pages), { highWaterMark: 1 << 18 });
  stream.on("error", () => {}); // also where nobody reads it any more
  // its types name what its users call, and not what `pg` does
  const copying = submit(connection, stream as typeof stream & QueryObject & { text: string }, { signal });
  try {
    const stored = await writeFile(format, file, stream, signal, onBytes);
    await copying; // the count of rows comes after the last of them
    return { ...stored, rows: stream.rowCount };
  } catch (error) {
    connection.release();
    await copying;
    throw error;
  }
}

/** Rows as text, one a line: it can be read by `psql` and any other version of the server. */
export function copyStatement(table: Pick<SourceTable, "schema" | "name" | "columns">, pages?: PageRange): string {
  const columns = table.columns.map(quoteName).join(", ");
  const from = `SELECT ${columns} FROM ONLY ${quoteTable(table)}`;
  if (pages === undefined) return `COPY (${from}) TO STDOUT`;
  const end = pages.to === undefined ? "" : ` AND ctid < '(${pages.to},0)'::tid`;
  return `COPY (${from} WHERE ctid >= '(${pages.from},0)'::tid${end}) TO STDOUT`;
}
