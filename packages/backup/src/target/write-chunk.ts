import type { ReservedConnection } from "@mirrorpool/core";
import { type QueryObject, submit } from "@mirrorpool/pg";
import { from as copyFrom } from "pg-copy-streams";
import { BackupError } from "../errors.ts";
import { type FileFormat, readFile } from "../format/file.ts";
import type { BackedUpChunk, BackedUpTable } from "../format/manifest.ts";
import { quoteName, quoteTable } from "../source/names.ts";

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
  const stream = copyFrom(`COPY ${quoteTable(table)}${columns} FROM STDIN`, { highWaterMark: 1 << 18 });
  stream.on("error", () => {}); // also where nothing was piped into it yet
  // its types name what its users call, and not what `pg` does
  const copying = submit(connection, stream as typeof stream & QueryObject & { text: string }, signal && { signal });
  try {
    await readFile(format, chunk, stream, signal, onBytes);
    await copying;
  } catch (error) {
    connection.release();
    await copying;
    throw error;
  }
  if (stream.rowCount === chunk.rows) return;
  const name = `${format.folder}/${chunk.file}`;
  const message = `${name}: it has ${stream.rowCount} rows, and ${chunk.rows} in the manifest`;
  throw new BackupError("CORRUPT", message, { subject: name });
}
