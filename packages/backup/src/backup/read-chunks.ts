import { setTimeout as sleep } from "node:timers/promises";
import { MirrorpoolError, ReservedLostError } from "@mirrorpool/core";
import type { SourceView } from "../dialect.ts";
import { BackupError, messageOf } from "../errors.ts";
import { type FileFormat, surveyFile, writeFile } from "../format/file.ts";
import { type BackedUpChunk, DATA } from "../format/manifest.ts";
import type { Meter } from "../progress.ts";
import type { Plan } from "../run/unfinished.ts";
import { showTable } from "../table-names.ts";
import { inParallel } from "../tasks.ts";

const MAX_TRIES = 5;
const RETRY_MS = 500;

/** Reads all chunks of a plan that are not there yet, on connections of one view. */
export async function readChunks(
  view: SourceView,
  plan: Plan,
  format: FileFormat,
  jobs: number,
  meter: Meter,
  isResumed: boolean,
  signal: AbortSignal | undefined,
): Promise<readonly BackedUpChunk[]> {
  const done: (BackedUpChunk | undefined)[] = plan.chunks.map(() => undefined);
  const weight = plan.chunks.reduce((sum, each) => sum + each.weight, 0);
  meter.expect(plan.chunks.length, weight);
  if (isResumed) await takeOver(plan, format, done, meter, signal);
  meter.enter("data");
  const open = plan.chunks.flatMap((_, index) => (done[index] === undefined ? [index] : []));
  await inParallel(open, Math.min(jobs, Math.max(1, open.length)), signal, async (index, stop) => {
    done[index] = await readOne(view, plan, index, format, meter, stop);
  });
  return done as readonly BackedUpChunk[]; // each was read, or it would have thrown
}

/** Where a chunk is stored. */
const chunkFile = (index: number, ending: string): string =>
  `${DATA}${String(index + 1).padStart(6, "0")}.copy${ending}`;

async function takeOver(
  plan: Plan,
  format: FileFormat,
  done: (BackedUpChunk | undefined)[],
  meter: Meter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const there = new Set((await format.store.list(`${format.folder}/${DATA}`, signal)).map(({ name }) => name));
  for (const [index, chunk] of plan.chunks.entries()) {
    const file = chunkFile(index, plan.ending);
    if (!there.has(`${format.folder}/${file}`)) continue;
    try {
      const survey = await surveyFile(format, file, plan.tables[chunk.table]?.form ?? "text", signal);
      if (survey === undefined) continue;
      done[index] = { ...survey, table: chunk.table };
      meter.skip(survey.rows, survey.bytes, chunk.weight);
    } catch {
      signal?.throwIfAborted(); // what is no whole chunk is read again
    }
  }
}

async function readOne(
  view: SourceView,
  plan: Plan,
  index: number,
  format: FileFormat,
  meter: Meter,
  signal: AbortSignal,
): Promise<BackedUpChunk> {
  const chunk = plan.chunks[index] as Plan["chunks"][number]; // the caller's index
  const table = plan.tables[chunk.table] as Plan["tables"][number]; // the plan's own
  for (let tries = 1; ; tries += 1) {
    let bytes = 0;
    const worker = await view.take(signal);
    try {
      const content = await view.read(worker, table, chunk.part, signal);
      const stored = await writeFile(format, chunkFile(index, plan.ending), content, signal, (count) => {
        bytes += count;
        meter.addBytes(count);
      });
      view.giveBack(worker);
      meter.done(content.rows, chunk.weight);
      return { ...stored, rows: content.rows, table: chunk.table };
    } catch (error) {
      view.drop(worker);
      signal.throwIfAborted();
      meter.takeBack(bytes);
      if (error instanceof BackupError) throw error;
      const isLost = error instanceof ReservedLostError;
      if (!isLost && !view.isPassing(error)) {
        if (error instanceof MirrorpoolError) throw error;
        throw new BackupError("REFUSED", `${showTable(table)} cannot be read: ${messageOf(error)}`, {
          cause: error,
          subject: showTable(table),
        });
      }
      if (tries >= MAX_TRIES)
        throw new BackupError("SOURCE_LOST", `${showTable(table)} could not be read in ${tries} tries`, {
          cause: error,
          retryable: true,
          subject: showTable(table),
        });
      await sleep(RETRY_MS, undefined, { signal });
    }
  }
}
