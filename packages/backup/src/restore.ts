import { AbortedError, OptionsError, type PoolSource, takePool } from "@mirrorpool/core";
import type { Progress } from "@mirrorpool/sync";
import { type LossyRule, lossyRules, Meter } from "@mirrorpool/sync/for-other-jobs";
import { inTarget } from "./across/dialect.ts";
import { dialectFor } from "./across/dialect-for.ts";
import { systemOf } from "./across/pairs.ts";
import type { TargetDialect } from "./dialect.ts";
import { dialectOf } from "./dialects.ts";
import { BackupError, TakenBackError } from "./errors.ts";
import type { KeySource } from "./format/key.ts";
import type { Manifest } from "./format/manifest.ts";
import { type OpenedBackup, openBackup } from "./format/repository.ts";
import {
  checkBoolean,
  checkChoice,
  checkChoices,
  checkFunction,
  checkInteger,
  checkKeySource,
  checkListener,
  checkName,
  checkOptions,
  checkPatterns,
  checkSignal,
  checkStore,
} from "./options.ts";
import type { Store } from "./store/store.ts";
import { matches } from "./table-names.ts";
import { isBegun } from "./target/is-begun.ts";
import { chosenChunks, fill, type Phase, type RestorePlan } from "./target/phases.ts";
import { Target } from "./target/target.ts";
import type { RestoreDelegate } from "./target/unit.ts";

/** What {@link restore} is to do. Only `from` is needed. */
export interface RestoreOptions {
  /** The path of a folder, or a store. */
  readonly from: string | Store;
  /** The name of the backup. Default: the latest that is finished. */
  readonly backup?: string;
  /** `schema.table`, with `*` for any characters: only the rows of these, into tables that are there. Default: all. */
  readonly tables?: readonly string[];
  /** Whether the definitions are restored. Default: where they are in the backup, all tables are chosen and none is there yet. */
  readonly schema?: boolean;
  /** Whether owners and privileges are restored with the definitions; their roles have to be there. Default true. */
  readonly owners?: boolean;
  /** What becomes of tables that have rows: `refuse` (default), `append` the backup's, or `replace` theirs. */
  readonly existing?: "refuse" | "append" | "replace";
  /** Into another system: losses that are accepted, by name. Default: none, and what would be lost is refused before the first row. */
  readonly lossy?: readonly LossyRule[];
  readonly encryption?: KeySource;
  /** Chunks and indexes at a time, 1 to 32. Default 2. */
  readonly jobs?: number;
  /** Whether to go on with the same restore that was killed. Default true. */
  readonly resume?: boolean;
  /** How often it is gone over again after a failover that took steps back, 1 to 20. Default 5. */
  readonly attempts?: number;
  /** Has chunks restored by other processes, `jobs` at a time, in place of doing it here: see {@link RestoreDelegate}. */
  readonly delegate?: RestoreDelegate;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends it; the target stays marked, and the same call goes on. */
  readonly signal?: AbortSignal;
}

/** What was restored. */
export interface RestoreReport {
  readonly backup: string;
  readonly tables: number;
  readonly chunks: number;
  readonly rows: number;
  readonly bytes: number;
  readonly hasSchema: boolean;
  /** What the backup itself says is not in it. */
  readonly warnings: readonly string[];
  readonly isResumed: boolean;
  readonly durationMs: number;
}

const OPTIONS = [
  "from", "backup", "tables", "schema", "owners", "existing", "lossy", "encryption", "jobs", "resume", "attempts", "delegate", "onProgress", "signal",
] as const satisfies readonly (keyof RestoreOptions)[]; // biome-ignore format: one list

type Checked = ReturnType<typeof check>;

function check(given: RestoreOptions) {
  const options = checkOptions(given, OPTIONS);
  return {
    store: checkStore("from", options["from"]),
    name: checkName("backup", options["backup"]),
    tables: checkPatterns(options["tables"]),
    schema: options["schema"] === undefined ? undefined : checkBoolean("schema", options["schema"], true),
    owners: checkBoolean("owners", options["owners"], true),
    existing: checkChoice("existing", options["existing"], ["refuse", "append", "replace"], "refuse"),
    lossy: checkChoices("lossy", options["lossy"], Object.keys(lossyRules) as LossyRule[]),
    keySource: checkKeySource(options["encryption"]),
    jobs: checkInteger("jobs", options["jobs"], 1, 32, 2),
    mayResume: checkBoolean("resume", options["resume"], true),
    attempts: checkInteger("attempts", options["attempts"], 1, 20, 5),
    delegate: checkFunction<RestoreDelegate>("delegate", options["delegate"]),
    onProgress: checkListener<Progress>("onProgress", options["onProgress"]),
    signal: checkSignal(options["signal"]),
  };
}

/**
 * Restores a backup into a database: definitions, rows, then keys and indexes. Until it is complete the target is marked by the schema
 * `mirrorpool_restore`; the same call goes on where one has ended.
 * @param into a pool, or the options of one
 * @throws {BackupError} {@link OptionsError}, and what the pool throws
 */
export async function restore(into: PoolSource, given: RestoreOptions): Promise<RestoreReport> {
  const options = check(given);
  const { signal, store, name, keySource } = options;
  const startedAt = performance.now();
  const backup = await openBackup(store, name, keySource, signal);
  requireChosen(backup.manifest, options);
  const { pool, release } = takePool(into);
  let target: Target | undefined;
  try {
    await pool.start(signal && { signal });
    const own = await dialectOf(pool, signal);
    const plan = planRestore(own, backup.manifest, options);
    const dialect = await dialectFor(own, pool, backup, plan.lossy);
    target = new Target(pool, dialect);
    const lock = await dialect.lock(pool, signal);
    try {
      const { isResumed, left } = await run(dialect, target, backup, plan, options);
      const summary = summarize(backup.manifest, plan, left);
      return { ...summary, isResumed, durationMs: Math.round(performance.now() - startedAt) };
    } finally {
      lock.release();
    }
  } catch (error) {
    if (signal?.aborted === true) throw new AbortedError(signal.reason);
    throw error;
  } finally {
    target?.close();
    await release();
  }
}

/** @throws {OptionsError} {BackupError} for what this backup has not */
function requireChosen(manifest: Manifest, { tables, schema, existing }: Checked): void {
  for (const pattern of tables ?? [])
    if (!manifest.tables.some((table) => matches(pattern, table)))
      throw new BackupError("NO_TABLES", `tables: no table of the backup is called ${JSON.stringify(pattern)}`, {
        subject: pattern,
      });
  if (schema === true && tables !== undefined)
    throw new OptionsError("schema", "false where tables are chosen: definitions come whole", "true");
  if (schema === true && existing !== "refuse")
    throw new OptionsError("schema", `false with existing: "${existing}"`, "true");
}

function planRestore(
  dialect: TargetDialect,
  manifest: Manifest,
  { tables, schema, owners, existing, lossy }: Checked,
): RestorePlan {
  // of another system tables are made by what the backup tells of their columns
  const isAcross = systemOf(manifest) !== dialect.system;
  const hasDefinitions = manifest.schema.isIncluded || isAcross;
  if (schema === true && !hasDefinitions)
    throw new OptionsError("schema", "false: there are no definitions in this backup", "true");
  const { tables: named } = isAcross ? inTarget(manifest) : manifest;
  const places = manifest.tables.flatMap((table, place) =>
    tables === undefined || tables.some((pattern) => matches(pattern, table)) ? [place] : [],
  );
  return {
    tables: places,
    names: [...new Set(places.flatMap((place) => named[place] ?? []).map((table) => dialect.quoteTable(table)))],
    withDefinitions: schema ?? (hasDefinitions && tables === undefined && existing === "refuse"),
    withOwners: owners,
    existing,
    ...(isAcross && { lossy: lossy ?? [] }),
  };
}

/** How a restore ended. */
interface Ended {
  /** It went on with one that had ended before. */
  readonly isResumed: boolean;
  /** What was not made, for a person. */
  readonly left: readonly string[];
}

async function run(
  dialect: TargetDialect,
  target: Target,
  backup: OpenedBackup,
  plan: RestorePlan,
  options: Checked,
): Promise<Ended> {
  const { signal, jobs, attempts } = options;
  const { manifest } = backup;
  const text = JSON.stringify(plan);
  let isResumed = false;
  for (let attempt = 1; ; attempt += 1) {
    const { epoch } = target.pool.topology();
    const meter = new Meter("restore", options.onProgress);
    const phase: Phase = { dialect, target, backup, plan, jobs, delegate: options.delegate, meter, signal };
    try {
      meter.enter("plan");
      const hasBegun = await isBegun(dialect, target, manifest, text, options.mayResume || attempt > 1, signal);
      if (attempt === 1) isResumed = hasBegun;
      if (!hasBegun) {
        await dialect.requireFit(target, manifest, plan, signal);
        await dialect.mark(target, { backup: manifest.id, name: manifest.name, plan: text }, signal);
      }
      await dialect.prepare(phase);
      await fill(phase, await dialect.stepsDone(target, signal));
      const left = await dialect.finish(phase);
      await dialect.unmark(target, await complete(phase), signal);
      meter.enter("done");
      return { isResumed, left };
    } catch (error) {
      signal?.throwIfAborted();
      if (attempt >= attempts) throw error;
      const hasMoved = target.pool.topology().epoch > epoch;
      const isAgain = error instanceof TakenBackError || (hasMoved && (await isOfFailover(phase, error)));
      if (!isAgain) throw error;
    }
  }
}

/**
 * With asynchronous mirroring a new primary may lack what the old one had acknowledged: then nothing fits any more, and where it lacks
 * even the mark the tables of the steps are missing, which no step says of itself.
 */
async function isOfFailover({ dialect, target, signal }: Phase, error: unknown): Promise<boolean> {
  if (error instanceof BackupError) return error.code !== "CORRUPT";
  return dialect.readMark(target, signal).then(
    (mark) => mark === undefined,
    () => false, // the first error says more
  );
}

/** How many steps the present primary has, of which none may be missing when the mark is removed. @throws {TakenBackError} */
async function complete({ dialect, target, backup, plan, signal }: Phase): Promise<number> {
  const done = await dialect.stepsDone(target, signal);
  const hasAll = done.has("before") && chosenChunks(backup.manifest, plan).every(({ file }) => done.has(file));
  if (!hasAll) throw new TakenBackError("rows that had been restored");
  return done.size;
}

function summarize(
  manifest: Manifest,
  plan: RestorePlan,
  left: readonly string[],
): Omit<RestoreReport, "isResumed" | "durationMs"> {
  const chosen = new Set(plan.tables);
  const chunks = manifest.chunks.filter(({ table }) => chosen.has(table));
  return {
    backup: manifest.name,
    tables: plan.tables.length,
    chunks: chunks.length,
    rows: chunks.reduce((sum, { rows }) => sum + rows, 0),
    bytes: chunks.reduce((sum, { bytes }) => sum + bytes, 0),
    hasSchema: plan.withDefinitions,
    warnings: [
      ...manifest.warnings,
      ...(plan.lossy !== undefined && plan.withDefinitions ? [NOT_TRANSLATED] : []),
      ...left,
    ],
  };
}

/** What `copy` does not make either. */
const NOT_TRANSLATED =
  "the backup is of another system: tables were made with columns, NOT NULL, keys and indexes, and without defaults, checks, views, routines and triggers";
