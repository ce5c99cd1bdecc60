import type { ReservedConnection } from "@mirrorpool/core";
import { BackupError } from "../errors.ts";
import { type FileFormat, readFile } from "../format/file.ts";
import type { BackedUpChunk } from "../format/manifest.ts";
import { RowSink, type RowTarget } from "../stream/row-sink.ts";

/**
 * Streams a file into its table, in the transaction that is open. Where it fails that transaction must not be committed: the
 * connection is released.
 */
export async function writeChunk(
  connection: ReservedConnection,
  open: () => RowTarget,
  chunk: BackedUpChunk,
  format: FileFormat,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const rows = new RowSink(open);
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
