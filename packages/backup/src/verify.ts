import { AbortedError, type PoolSource, takePool } from "@mirrorpool/core";
import type { Progress } from "@mirrorpool/sync";
import { Meter } from "@mirrorpool/sync/for-other-jobs";
import { systemOf } from "./across/pairs.ts";
import { dialectOf } from "./dialects.ts";
import { BackupError } from "./errors.ts";
import type { KeySource } from "./format/key.ts";
import type { Manifest } from "./format/manifest.ts";
import { openBackup } from "./format/repository.ts";
import {
  checkInteger,
  checkKeySource,
  checkListener,
  checkName,
  checkOptions,
  checkSignal,
  checkStore,
} from "./options.ts";
import { restore } from "./restore.ts";
import type { Store } from "./store/store.ts";
import { Target } from "./target/target.ts";
import { compareRows } from "./verify/compare.ts";
import { type Problem, verifyFiles } from "./verify/files.ts";

/** What {@link verify} is to do. Only `from` is needed. */
export interface VerifyOptions {
  /** The path of a folder, or a store. */
  readonly from: string | Store;
  /** The name of the backup. Default: the latest that is finished. */
  readonly backup?: string;
  readonly encryption?: KeySource;
  /** A scratch database: the backup is restored into it as well, and every row compared. It has to be empty, and stays as restored. */
  readonly into?: PoolSource;
  /** Chunks at a time, 1 to 32. Default 2. */
  readonly jobs?: number;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** What was found to be in order. */
export interface VerifyReport {
  readonly backup: string;
  readonly finishedAt: string;
  readonly source: Manifest["source"];
  readonly tables: number;
  readonly chunks: number;
  readonly rows: number;
  readonly bytes: number;
  readonly warnings: readonly string[];
  /** Whether it was restored and compared as well. */
  readonly isRestored: boolean;
  readonly durationMs: number;
}

const OPTIONS = ["from", "backup", "encryption", "into", "jobs", "onProgress", "signal"];
/** So many are told. */
const MAX_TOLD = 10;

/**
 * Reads a backup whole and checks every file: there, of its size, with its SHA-256, decrypted, with its rows, and none that does not
 * belong to it.
 * @throws {BackupError} `CORRUPT` naming the files, `DIFFERENT` naming the tables
 */
export async function verify(given: VerifyOptions): Promise<VerifyReport> {
  const options = checkOptions(given, OPTIONS);
  const store = checkStore("from", options["from"]);
  const keySource = checkKeySource(options["encryption"]);
  const jobs = checkInteger("jobs", options["jobs"], 1, 32, 2);
  const signal = checkSignal(options["signal"]);
  const meter = new Meter("verify", checkListener<Progress>("onProgress", options["onProgress"]));
  try {
    const backup = await openBackup(store, checkName("backup", options["backup"]), keySource, signal);
    const { manifest } = backup;
    throwIfAny("CORRUPT", await verifyFiles(backup, jobs, meter, signal));
    if (given.into !== undefined) {
      await requireSameSystem(given.into, manifest, signal);
      const common = { from: store, backup: manifest.name, jobs, owners: false };
      await restore(given.into, { ...common, ...(keySource && { encryption: keySource }), ...(signal && { signal }) });
      const { pool, release } = takePool(given.into);
      let target: Target | undefined;
      try {
        await pool.start(signal && { signal });
        const dialect = await dialectOf(pool, signal);
        target = new Target(pool, dialect);
        throwIfAny("DIFFERENT", await compareRows(dialect, target, backup, jobs, meter, signal));
      } finally {
        target?.close();
        await release();
      }
    }
    meter.enter("done");
    return {
      ...{ backup: manifest.name, finishedAt: manifest.finishedAt, source: manifest.source },
      ...{ tables: manifest.tables.length, chunks: manifest.chunks.length, warnings: manifest.warnings },
      rows: manifest.chunks.reduce((sum, { rows }) => sum + rows, 0),
      bytes: manifest.chunks.reduce((sum, { bytes }) => sum + bytes, 0),
      isRestored: given.into !== undefined,
      durationMs: Math.round(meter.elapsedMs),
    };
  } catch (error) {
    if (signal?.aborted === true) throw new AbortedError(signal.reason);
    throw error;
  }
}

/** Rows are compared as they stand in the backup. */
async function requireSameSystem(into: PoolSource, manifest: Manifest, signal: AbortSignal | undefined): Promise<void> {
  const { pool, release } = takePool(into);
  try {
    await pool.start(signal && { signal });
    if ((await dialectOf(pool, signal)).system === systemOf(manifest)) return;
  } finally {
    await release();
  }
  const message = `the backup is of ${manifest.source.system}, and the scratch database is of another system: take one of the same`;
  throw new BackupError("NOT_SUPPORTED", message);
}

function throwIfAny(code: "CORRUPT" | "DIFFERENT", problems: readonly Problem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const told = problems.slice(0, MAX_TOLD).map(({ message }) => message);
  const more = problems.length > told.length ? [`and ${problems.length - told.length} more`] : [];
  throw new BackupError(code, [...told, ...more].join("; "), { subject: first.file });
}
