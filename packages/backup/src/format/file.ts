import { createHash } from "node:crypto";
import { PassThrough, type Readable, Transform, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { BackupError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { letGo } from "../stream/let-go.ts";
import { RowContent } from "../stream/row-content.ts";
import { type Compression, createCompressor, createDecompressor, fileEndings } from "./codec.ts";
import type { RowForm, StoredFile } from "./manifest.ts";
import { RowCounter } from "./rows.ts";
import { createOpener, createSealer } from "./seal.ts";

/** How the files of one backup are written and read. */
export interface FileFormat {
  readonly store: Store;
  /** The backup's folder. */
  readonly folder: string;
  readonly compression: Compression;
  /** Undefined: in the open. */
  readonly key: Buffer | undefined;
}

/** What the names of its files end with. */
export function fileEnding({ compression, key }: Pick<FileFormat, "compression" | "key">): string {
  return `${fileEndings[compression]}${key === undefined ? "" : ".enc"}`;
}

/** Stores what a stream holds, and tells what was stored. Nothing is left under the name where it fails. */
export async function writeFile(
  { store, folder, compression, key }: FileFormat,
  file: string,
  content: Readable,
  signal: AbortSignal | undefined,
  onBytes: (bytes: number) => void = () => {},
): Promise<StoredFile> {
  const plain = new Counter(onBytes);
  const stored = new Digester();
  const sealer = key === undefined ? undefined : createSealer(key, `${folder}/${file}`);
  const recycle = content instanceof RowContent ? (part: Buffer) => content.recycle(part) : undefined;
  const steps = [plain, createCompressor(compression, recycle), sealer, stored].filter((step) => step !== undefined);
  const output = new PassThrough();
  const piping = pipeline([content, ...steps, output], { ...(signal && { signal }) });
  // only what a step has made is nobody else's
  const onWritten = steps.length > 2 ? letGo : undefined;
  const writing = store.write(`${folder}/${file}`, output, signal, onWritten).catch((error: unknown) => {
    output.destroy(error as Error);
    throw error;
  });
  const [piped, written] = await Promise.allSettled([piping, writing]);
  // of the two the first cause: a store that fails breaks the pipe, and a source that fails the store
  if (written.status === "rejected" && written.reason instanceof BackupError) throw written.reason;
  if (piped.status === "rejected") throw piped.reason;
  if (written.status === "rejected") throw written.reason;
  return { file, bytes: plain.bytes, storedBytes: stored.bytes, sha256: stored.digest() };
}

/**
 * Reads a file of a backup into a stream, and checks it on the way. What the stream was given is certain only once this resolves.
 * @throws {BackupError} `CORRUPT` naming the file
 */
export async function readFile(
  { store, folder, compression, key }: FileFormat,
  expected: StoredFile,
  target: Writable,
  signal?: AbortSignal,
  onBytes: (bytes: number) => void = () => {},
): Promise<void> {
  const name = `${folder}/${expected.file}`;
  const corrupt = (what: string, cause?: unknown): BackupError =>
    new BackupError("CORRUPT", `${name}: ${what}`, { cause, subject: name });
  const source = await store.read(name, signal);
  if (source === undefined) throw corrupt("it is missing");
  // checked before the last bytes are passed on: what takes them must not think that it has all
  const stored = new Digester((bytes, digest) => {
    const { storedBytes, sha256 } = expected;
    if (bytes !== storedBytes)
      return corrupt(`it has ${bytes} bytes and not the ${storedBytes} of the manifest: truncated, or another file`);
    if (digest === sha256) return undefined;
    return corrupt("its SHA-256 is not that of the manifest: it was changed, or is another file");
  });
  const plain = new Counter(onBytes, (bytes) =>
    bytes === expected.bytes ? undefined : corrupt(`its content has ${bytes} bytes and not ${expected.bytes}`),
  );
  const opener = key === undefined ? undefined : createOpener(key, name);
  const steps = [stored, opener, createDecompressor(compression, letGo), plain].filter((step) => step !== undefined);
  try {
    await pipeline([source, ...steps, target], { ...(signal && { signal }) });
  } catch (error) {
    if (isOfTheCodec(error))
      throw stored.problem ?? corrupt("it cannot be decompressed: it was changed or truncated", error);
    throw error;
  }
}

/**
 * Reads a file that no manifest names yet, as a run that was killed has left it.
 * @returns what a manifest would say of it, and the number of its rows
 */
export async function surveyFile(
  { store, folder, compression, key }: FileFormat,
  file: string,
  form: RowForm,
  signal?: AbortSignal,
): Promise<(StoredFile & { readonly rows: number }) | undefined> {
  const source = await store.read(`${folder}/${file}`, signal);
  if (source === undefined) return undefined;
  const stored = new Digester();
  const plain = new Counter();
  const counter = new RowCounter(form);
  const opener = key === undefined ? undefined : createOpener(key, `${folder}/${file}`);
  const steps = [stored, opener, createDecompressor(compression, letGo), plain].filter((step) => step !== undefined);
  await pipeline([source, ...steps, counter], { ...(signal && { signal }) });
  return { file, bytes: plain.bytes, storedBytes: stored.bytes, sha256: stored.digest(), rows: counter.count };
}

const isOfTheCodec = (error: unknown): boolean =>
  error instanceof Error && "code" in error && /^(Z_|ZSTD_|ERR_(ZLIB|ZSTD))/.test(String(error.code));

/** Counts what passes, and may refuse it at its end. */
class Counter extends Transform {
  readonly #onBytes: (bytes: number) => void;
  readonly #check: ((bytes: number) => BackupError | undefined) | undefined;
  bytes = 0;

  constructor(onBytes: (bytes: number) => void = () => {}, check?: (bytes: number) => BackupError | undefined) {
    super({ highWaterMark: 1 << 18 });
    this.#onBytes = onBytes;
    this.#check = check;
  }

  override _transform(part: Buffer, _: BufferEncoding, done: (error: null, part: Buffer) => void): void {
    this.bytes += part.length;
    this.#onBytes(part.length);
    done(null, part);
  }

  override _flush(done: (error?: Error | null) => void): void {
    done(this.#check?.(this.bytes));
  }
}

type Check = (bytes: number, digest: string) => BackupError | undefined;

/** Counts and digests what passes, and may refuse it at its end. Only for what is stored: the content is several times as much. */
class Digester extends Transform {
  readonly #hash = createHash("sha256");
  readonly #check: Check | undefined;
  #digest: string | undefined;
  bytes = 0;
  problem: BackupError | undefined;

  constructor(check?: Check) {
    super({ highWaterMark: 1 << 18 });
    this.#check = check;
  }

  digest(): string {
    this.#digest ??= this.#hash.digest("hex");
    return this.#digest;
  }

  override _transform(part: Buffer, _: BufferEncoding, done: (error: null, part: Buffer) => void): void {
    this.bytes += part.length;
    this.#hash.update(part);
    done(null, part);
  }

  override _flush(done: (error?: Error | null) => void): void {
    this.problem = this.#check?.(this.bytes, this.digest());
    done(this.problem);
  }
}
