import type { ReservedConnection } from "@mirrorpool/core";
import { BackupError } from "../errors.ts";
import { type FileFormat, readFile } from "../format/file.ts";
import type { BackedUpChunk, BackedUpTable } from "../format/manifest.ts";
import { quoteName, quoteTable } from "../source/names.ts";
import { formOf } from "../source/read-chunk.ts";
import { CopyRows } from "./copy-rows.ts";

/**
 * Streams a file into its table, in the transaction that is open. Where it fails that transaction must not be committed: the
 * connection is released.
 */
export async function writeChunk(
  connection: ReservedConnection,
  table: BackedUpTable,
  chunk: BackedUpChunk,
  format: FileFormat,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const columns = table.columns.length === 0 ? "" : ` (${table.columns.map(quoteName).join(", ")})`;
  const rows = new CopyRows(connection, `COPY ${quoteTable(table)}${columns} FROM STDIN${formOf(table)}`);
  rows.on("error", () => {}); // also where nothing was piped into it yet
  try {
    await readFile(format, chunk, rows, signal, onBytes);
  } catch (error) {
    connection.release();
    throw error;
  }
  if (rows.rows === chunk.rows) return;
  const name = `${format.folder}/${chunk.file}`;
  const message = `${name}: it has ${rows.rows} rows, and ${chunk.rows} in the manifest`;
  throw new BackupError("CORRUPT", message, { subject: name });
}
