import { randomBytes, randomUUID } from "node:crypto";
import { AbortedError, type FailoverPool, OptionsError, type PoolSource, takePool } from "@mirrorpool/core";
import type { Progress } from "@mirrorpool/sync";
import { Meter } from "@mirrorpool/sync/for-other-jobs";
import { readChunks } from "./backup/read-chunks.ts";
import type { SourceView } from "./dialect.ts";
import { dialectOf } from "./dialects.ts";
import { BackupError } from "./errors.ts";
import { type Compression, compressions, hasZstd } from "./format/codec.ts";
import { type FileFormat, fileEnding } from "./format/file.ts";
import type { KeySource } from "./format/key.ts";
import type { BackedUpChunk, Manifest, RowForm } from "./format/manifest.ts";
import { MANIFEST, newEncryption, writeManifest } from "./format/repository.ts";
import {
  checkBoolean,
  checkChoice,
  checkInteger,
  checkKeySource,
  checkListener,
  checkOptions,
  checkPatterns,
  checkSignal,
  checkStore,
  isObject,
} from "./options.ts";
import { readable } from "./readable.ts";
import { checkKeep, type Keep, prune } from "./retention.ts";
import { beat } from "./run/liveness.ts";
import { findUnfinished, PLAN, type Plan, removeFolder, type Unfinished } from "./run/unfinished.ts";
import type { SchemaChoice } from "./schema-choice.ts";
import type { Store } from "./store/store.ts";
import { sideBySide } from "./tasks.ts";

/** What {@link backup} is to do. Only `to` is needed. */
export interface BackupOptions {
  /** The path of a folder, or a store. It may hold any number of backups, also of several databases. */
  readonly to: string | Store;
  /** `schema.table`, with `*` for any characters. Default: all, with sequences and materialized views. */
  readonly tables?: readonly string[];
  /** Where it is read: a mirror where one is fit (default), or the primary. */
  readonly from?: "mirror" | "primary";
  /** Chunks at a time, 1 to 32. Default 2. */
  readonly jobs?: number;
  /** Default: zstd, and gzip where this Node.js has none. */
  readonly compression?: Compression;
  /**
   * How rows are written. `text` (default): any version reads it. `binary`, of PostgreSQL: faster to restore, into servers of the same
   * major version alone; tables with types of their own stay text.
   */
  readonly form?: RowForm;
  /** Default: none. */
  readonly encryption?: KeySource;
  /** Whether and how the definitions are backed up. Default `auto`: where they can be had. */
  readonly schema?: SchemaChoice;
  /** About so many bytes of a table in one chunk, 1 MiB to 1 GiB. Default: a 32nd of the whole, from 8 to 64 MiB. */
  readonly chunkBytes?: number;
  /** Which older backups of this database are kept, once this one is finished. Default: all. */
  readonly keep?: Keep;
  /** Whether to go on with a run that was killed, where that is possible. Default true. */
  readonly resume?: boolean;
  /** How often it is begun anew with another snapshot when the server is lost with the present one, 1 to 20. Default 3. */
  readonly attempts?: number;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends it; what is done so far is left to be resumed. */
  readonly signal?: AbortSignal;
}

/** What a finished backup is. */
export interface BackupReport {
  readonly name: string;
  /** Where it is, without credentials. */
  readonly store: string;
  readonly node: string;
  readonly role: "primary" | "mirror";
  readonly position: string;
  readonly tables: number;
  readonly chunks: number;
  readonly rows: number;
  readonly bytes: number;
  readonly storedBytes: number;
  readonly hasSchema: boolean;
  /** What is not in it. Never empty where something is missing. */
  readonly warnings: readonly string[];
  readonly isResumed: boolean;
  /** Older ones that retention has removed. */
  readonly removed: readonly string[];
  readonly durationMs: number;
}

const OPTIONS = [
  "to", "tables", "from", "jobs", "compression", "form", "encryption", "schema", "chunkBytes", "keep", "resume", "attempts", "onProgress", "signal",
] as const satisfies readonly (keyof BackupOptions)[]; // biome-ignore format: one list
const MEBIBYTE = 1024 ** 2;

type Checked = ReturnType<typeof check>;

function check(given: BackupOptions) {
  const options = checkOptions(given, OPTIONS);
  const { schema } = options;
  if (schema !== undefined && schema !== "auto" && typeof schema !== "boolean" && !isObject(schema))
    throw new OptionsError("schema", '"auto", true, false or { pgDump, url }', `a ${typeof schema}`);
  if (isObject(schema)) checkOptions(schema, ["pgDump", "url"]);
  return {
    store: checkStore("to", options["to"]),
    tables: checkPatterns(options["tables"]),
    from: checkChoice("from", options["from"], ["mirror", "primary"], "mirror"),
    jobs: checkInteger("jobs", options["jobs"], 1, 32, 2),
    compression: checkChoice("compression", options["compression"], compressions, hasZstd ? "zstd" : "gzip"),
    form: checkChoice("form", options["form"], ["text", "binary"], "text"),
    keySource: checkKeySource(options["encryption"]),
    schema: (schema ?? "auto") as SchemaChoice, // checked above
    chunkBytes:
      options["chunkBytes"] === undefined
        ? undefined
        : checkInteger("chunkBytes", options["chunkBytes"], MEBIBYTE, 1024 * MEBIBYTE, MEBIBYTE),
    keep: checkKeep(options["keep"]),
    mayResume: checkBoolean("resume", options["resume"], true),
    attempts: checkInteger("attempts", options["attempts"], 1, 20, 3),
    onProgress: checkListener<Progress>("onProgress", options["onProgress"]),
    signal: checkSignal(options["signal"]),
  };
}

/**
 * Backs a database up while it is in use: all tables as one view sees them, read in parallel, from a mirror where one is fit.
 * The backup is finished when its manifest is there, and only then.
 * @param source a pool, or the options of one
 * @throws {BackupError} {@link OptionsError}, and what the pool throws
 */
export async function backup(source: PoolSource, given: BackupOptions): Promise<BackupReport> {
  const options = check(given);
  const startedAt = performance.now();
  const { pool, release } = takePool(source);
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const report = await once(source, pool, options);
        return { ...report, durationMs: Math.round(performance.now() - startedAt) };
      } catch (error) {
        if (options.signal?.aborted === true) throw new AbortedError(options.signal.reason);
        const isLost = error instanceof BackupError && error.code === "SOURCE_LOST";
        if (!isLost || attempt >= options.attempts) throw error;
      }
    }
  } finally {
    await release();
  }
}

async function once(
  source: PoolSource,
  pool: FailoverPool,
  options: Checked,
): Promise<Omit<BackupReport, "durationMs">> {
  const { store, signal, keySource } = options;
  const meter = new Meter("backup", options.onProgress);
  meter.enter("plan");
  await pool.start({ until: "readable", ...(signal && { signal }) });
  const dialect = await dialectOf(pool, signal);
  await using view = await readable(() => dialect.openView(pool, options.from, options.jobs, signal));
  const selection = JSON.stringify([
    options.tables ?? null,
    options.chunkBytes ?? null,
    options.compression,
    options.form,
    options.schema !== false,
  ]);
  const unfinished = options.mayResume
    ? await findUnfinished(store, view.source, selection, keySource, signal)
    : undefined;
  const folder = unfinished?.plan.name ?? newName();
  const rest = await beat(store, folder, signal);
  let isFinished = false;
  try {
    const { plan, encryption } = unfinished ?? (await readable(() => begin(view, folder, selection, options)));
    const format: FileFormat = { store, folder, compression: plan.compression, key: encryption?.key };
    const isResumed = unfinished !== undefined;
    const rows = (stop: AbortSignal) => readChunks(view, plan, format, options.jobs, meter, isResumed, stop);
    const choice = options.tables === undefined ? options.schema : false;
    const definitions = (stop: AbortSignal) => view.writeSchema(source, choice, format, stop);
    const [chunks, schema] = await readable(() => sideBySide(rows, definitions, signal));
    const manifest = toManifest(plan, chunks, schema);
    await writeManifest(store, `${folder}/${MANIFEST}`, plan.id, manifest, encryption, signal);
    isFinished = true;
    meter.enter("done");
    await store.remove(`${folder}/${PLAN}`, signal);
    const removed = options.keep === undefined ? [] : await prune(store, plan.source, options.keep, keySource, signal);
    return { ...summarize(manifest, store), isResumed, removed };
  } catch (error) {
    // what only this view has seen is of no use to another one
    const isUseless = error instanceof BackupError && error.code === "SOURCE_LOST";
    await rest();
    if (isUseless && !isFinished) await removeFolder(store, folder, signal).catch(() => {}); // retention finds it
    throw error;
  } finally {
    await rest();
  }
}

/** Sorted by name they are sorted by age. */
const newName = (): string =>
  `${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}-${randomBytes(3).toString("hex")}`;

async function begin(view: SourceView, name: string, selection: string, options: Checked): Promise<Unfinished> {
  const { store, compression, keySource, signal } = options;
  const id = randomUUID();
  const startedAt = new Date().toISOString();
  const encryption = await newEncryption(keySource, id);
  const fromCatalogue = await view.plan({
    patterns: options.tables,
    chunkBytes: options.chunkBytes,
    form: options.form,
  });
  const plan: Plan = {
    ...{
      id,
      name,
      startedAt,
      source: view.source,
      compression,
      ending: fileEnding({ compression, key: encryption?.key }),
      selection,
    },
    ...fromCatalogue,
  };
  await writeManifest(store, `${name}/${PLAN}`, id, plan, encryption, signal);
  return { plan, encryption };
}

function toManifest(plan: Plan, chunks: readonly BackedUpChunk[], schema: Manifest["schema"]): Manifest {
  const { id, name, startedAt, source, compression, sequences, materializedViews, constraints } = plan;
  const rows = plan.tables.map(() => 0);
  for (const chunk of chunks) rows[chunk.table] = (rows[chunk.table] ?? 0) + chunk.rows;
  const noSchema = schema.isIncluded
    ? (schema.missing ?? [])
    : [`no definitions are in this backup, only rows: ${schema.reason}`];
  return {
    ...{ id, name, startedAt, finishedAt: new Date().toISOString(), source, compression, schema },
    tables: plan.tables.map((table, index) => ({ ...table, rows: rows[index] ?? 0 })),
    ...{ sequences, materializedViews, chunks },
    ...(constraints && { constraints }),
    warnings: [...noSchema, ...plan.warnings],
  };
}

function summarize(
  { name, source, tables, chunks, schema, warnings }: Manifest,
  store: Store,
): Omit<BackupReport, "durationMs" | "isResumed" | "removed"> {
  const sum = (key: "rows" | "bytes" | "storedBytes"): number => chunks.reduce((total, each) => total + each[key], 0);
  return {
    ...{ name, store: store.description, node: source.node, role: source.role, position: source.position },
    ...{ tables: tables.length, chunks: chunks.length, rows: sum("rows"), bytes: sum("bytes") },
    ...{ storedBytes: sum("storedBytes"), hasSchema: schema.isIncluded, warnings },
  };
}
