import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { writeWhole } from "../store/store.ts";
import { RowContent } from "../stream/row-content.ts";
import { compressSmall } from "./codec.ts";
import { type FileFormat, writeFile } from "./file.ts";
import type { StoredFile } from "./manifest.ts";

/** Up to so many bytes are held, and compressed at once. */
const SMALL_BYTES = 65_536;

/**
 * The same as {@link writeFile} for what is expected to be small, as of a database with thousands of small tables: in one piece, where that
 * would take longer to put its streams together than to write a few rows. What turns out to be big goes there.
 */
export async function writeSmallFile(
  format: FileFormat,
  file: string,
  content: Readable,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void,
): Promise<StoredFile> {
  if (format.key !== undefined) return writeFile(format, file, content, signal, onBytes);
  const parts: Buffer[] = [];
  let bytes = 0;
  const iterator: AsyncIterator<Buffer> = content[Symbol.asyncIterator]();
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    parts.push(next.value);
    bytes += next.value.length;
    if (bytes > SMALL_BYTES)
      return writeFile(format, file, Readable.from(chained(parts, iterator), { objectMode: false }), signal, onBytes);
  }
  signal?.throwIfAborted();
  const [only] = parts;
  const stored = compressSmall(
    format.compression,
    parts.length === 1 && only !== undefined ? only : Buffer.concat(parts),
  );
  onBytes(bytes);
  await writeWhole(format.store, `${format.folder}/${file}`, stored, signal);
  if (content instanceof RowContent) for (const part of parts) content.recycle(part);
  return { file, bytes, storedBytes: stored.length, sha256: createHash("sha256").update(stored).digest("hex") };
}

/** What was looked at already, and what follows. */
async function* chained(parts: readonly Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* parts;
    yield* { [Symbol.asyncIterator]: () => rest };
  } finally {
    await rest.return?.(); // whoever ends it early ends the source
  }
}
