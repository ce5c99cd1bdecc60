import { PassThrough } from "node:stream";
import type { ReservedConnection } from "@mirrorpool/core";
import type { LossyRule } from "@mirrorpool/sync";
import { interleave, type Meter } from "@mirrorpool/sync/for-other-jobs";
import type { TargetDialect } from "../dialect.ts";
import { BackupError, type BackupErrorCode, backupErrorCodes } from "../errors.ts";
import { readFile } from "../format/file.ts";
import type { BackedUpChunk, BackedUpTable, Manifest, StoredFile } from "../format/manifest.ts";
import type { OpenedBackup } from "../format/repository.ts";
import { showTable } from "../table-names.ts";
import { inParallel } from "../tasks.ts";
import { smallBatches } from "./small-batches.ts";
import type { Step, Target } from "./target.ts";
import type { RestoreDelegate } from "./unit.ts";
import { writeChunk } from "./write-chunk.ts";

/** What a restore is going to do, decided before it begins. */
export interface RestorePlan {
  /** Places of the manifest's tables. */
  readonly tables: readonly number[];
  /** The same as they are written in SQL: for whoever has the target alone. */
  readonly names: readonly string[];
  readonly withDefinitions: boolean;
  readonly withOwners: boolean;
  readonly existing: "refuse" | "append" | "replace";
  /** Into another system: losses that are accepted. */
  readonly lossy?: readonly LossyRule[];
}

/** What the phases work with. */
export interface Phase {
  readonly dialect: TargetDialect;
  readonly target: Target;
  readonly backup: OpenedBackup;
  readonly plan: RestorePlan;
  readonly jobs: number;
  /** Has chunks restored by other processes. */
  readonly delegate: RestoreDelegate | undefined;
  readonly meter: Meter;
  readonly signal: AbortSignal | undefined;
}

/** The rows: each chunk in one transaction with its row, small ones several at a time. */
export async function fill(
  { dialect, target, backup, plan, jobs, delegate, meter, signal }: Phase,
  done: ReadonlySet<string>,
): Promise<void> {
  const { manifest, format } = backup;
  const chunks = chosenChunks(manifest, plan);
  const open = chunks.filter(({ file }) => !done.has(file));
  meter.plan(chunks.map(({ bytes }) => bytes));
  for (const { file, bytes, rows } of chunks) if (done.has(file)) meter.skip(bytes, rows, bytes);
  meter.enter("rows");
  const ordered = interleave(open, jobs, ({ bytes }) => bytes);
  if (delegate !== undefined)
    return inParallel(ordered, jobs, signal, async (chunk, stop) => {
      await restoreElsewhere(delegate, manifest, chunk, stop);
      meter.move(chunk.bytes);
      meter.count(chunk.rows);
      meter.finish(chunk.bytes);
    });
  const toStep = (chunk: BackedUpChunk, table: BackedUpTable, stop: AbortSignal): Step => {
    let bytes = 0;
    const work = async (connection: ReservedConnection): Promise<void> => {
      meter.takeBack(bytes);
      bytes = 0;
      const open = await dialect.write(connection, manifest, table);
      await writeChunk(connection, open, chunk, format, stop, (count) => {
        bytes += count;
        meter.move(count);
      });
    };
    return { name: chunk.file, subject: showTable(table), work };
  };
  const batches = smallBatches(ordered, ({ bytes }) => bytes);
  await inParallel(batches, jobs, signal, async (batch, stop) => {
    const steps: Step[] = [];
    for (const chunk of batch) {
      const table = manifest.tables[chunk.table];
      if (table === undefined) continue;
      const step = toStep(chunk, table, stop);
      if (!(await dialect.isUnsafe(target, table, stop))) steps.push(step);
      else await target.repeatable(step.name, step.subject, stop, step.work);
    }
    if (steps.length > 0) await target.steps(steps, stop);
    for (const { rows, bytes } of batch) {
      meter.count(rows);
      meter.finish(bytes);
    }
  });
}

const toErrorCode = (code: string | undefined): BackupErrorCode =>
  code !== undefined && Object.hasOwn(backupErrorCodes, code) ? (code as BackupErrorCode) : "TARGET_LOST";

/** So often a chunk is given out. */
const MAX_TRIES = 20;

async function restoreElsewhere(
  delegate: RestoreDelegate,
  { id, name }: Manifest,
  { file }: BackedUpChunk,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const outcome = await delegate({ kind: "restore", backup: name, id, file }, signal);
    if (outcome.what === "done") return;
    if (outcome.isPassing && tries < MAX_TRIES) continue;
    const message = `${name}/${file}: a worker could not restore it: ${outcome.message}`;
    throw new BackupError(toErrorCode(outcome.code), message, { subject: file });
  }
}

export const chosenTables = (manifest: Manifest, plan: RestorePlan): Manifest["tables"] =>
  plan.tables.flatMap((place) => manifest.tables[place] ?? []);

export const chosenChunks = ({ chunks }: Manifest, { tables }: RestorePlan): Manifest["chunks"] => {
  const chosen = new Set(tables);
  return chunks.filter(({ table }) => chosen.has(table));
};

/** A file of definitions. */
export async function readText(
  { format }: OpenedBackup,
  file: StoredFile,
  signal: AbortSignal | undefined,
): Promise<string> {
  const parts: Buffer[] = [];
  const collected = new PassThrough();
  collected.on("data", (part: Buffer) => void parts.push(part));
  await readFile(format, file, collected, signal);
  return Buffer.concat(parts).toString("utf8");
}
