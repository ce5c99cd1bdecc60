import { setTimeout as sleep } from "node:timers/promises";
import { MirrorpoolError, type ReservedConnection, ReservedLostError } from "@mirrorpool/core";
import type { Meter } from "@mirrorpool/sync/for-other-jobs";
import type { SourceView } from "../dialect.ts";
import { BackupError, messageOf } from "../errors.ts";
import { type FileFormat, surveyFile, writeFile } from "../format/file.ts";
import { type BackedUpChunk, DATA } from "../format/manifest.ts";
import { writeSmallFile } from "../format/write-small.ts";
import type { Plan } from "../run/unfinished.ts";
import { showTable } from "../table-names.ts";
import { inParallel, Turns } from "../tasks.ts";

/** So many chunks more, which are read, are on their way into the store: to be written through to the disk takes a small one longest. */
const STORING = 6;
/** Of a chunk of few rows, with what the server has about them. */
const SMALL_WEIGHT = 131_072;
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
  meter.plan(plan.chunks.map(({ weight }) => weight));
  if (isResumed) await takeOver(plan, format, done, meter, signal);
  meter.enter("rows");
  const open = plan.chunks.flatMap((_, index) => (done[index] === undefined ? [index] : []));
  const turns = new Turns(jobs);
  await inParallel(open, Math.min(jobs + STORING, Math.max(1, open.length)), signal, async (index, stop) => {
    done[index] = await readOne(view, plan, index, format, meter, turns, stop);
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
      meter.skip(chunk.weight, survey.rows, survey.bytes);
    } catch {
      signal?.throwIfAborted(); // what is no whole chunk is read again
    }
  }
}

/** A connection of the view, one of as many as there are turns. Is given back or dropped once: what comes later does nothing. */
async function takeReader(
  view: SourceView,
  turns: Turns,
  signal: AbortSignal,
): Promise<{ readonly connection: ReservedConnection; giveBack(): void; drop(): void }> {
  await turns.take();
  let isEnded = false;
  const end = (release: () => void): void => {
    if (isEnded) return;
    isEnded = true;
    release();
    turns.give();
  };
  try {
    signal.throwIfAborted();
    const connection = await view.take(signal);
    return {
      connection,
      giveBack: () => end(() => view.giveBack(connection)),
      drop: () => end(() => view.drop(connection)),
    };
  } catch (error) {
    end(() => {});
    throw error;
  }
}

async function readOne(
  view: SourceView,
  plan: Plan,
  index: number,
  format: FileFormat,
  meter: Meter,
  turns: Turns,
  signal: AbortSignal,
): Promise<BackedUpChunk> {
  const chunk = plan.chunks[index] as Plan["chunks"][number]; // the caller's index
  const table = plan.tables[chunk.table] as Plan["tables"][number]; // the plan's own
  for (let tries = 1; ; tries += 1) {
    let bytes = 0;
    const reader = await takeReader(view, turns, signal);
    try {
      const content = await view.read(reader.connection, table, chunk.part, signal);
      // the next chunk is read while this one is written through to the disk
      content.once("end", () => reader.giveBack());
      const write = chunk.weight < SMALL_WEIGHT ? writeSmallFile : writeFile;
      const stored = await write(format, chunkFile(index, plan.ending), content, signal, (count) => {
        bytes += count;
        meter.move(count);
      });
      meter.count(content.rows);
      meter.finish(chunk.weight);
      return { ...stored, rows: content.rows, table: chunk.table };
    } catch (error) {
      reader.drop();
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
