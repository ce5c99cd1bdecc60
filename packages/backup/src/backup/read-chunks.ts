import { setTimeout as sleep } from "node:timers/promises";
import { MirrorpoolError, type ReservedConnection, ReservedLostError } from "@mirrorpool/core";
import { BackupError, messageOf } from "../errors.ts";
import type { FileFormat } from "../format/file.ts";
import { surveyFile } from "../format/file.ts";
import { type BackedUpChunk, DATA } from "../format/manifest.ts";
import type { Meter } from "../progress.ts";
import type { Plan } from "../run/unfinished.ts";
import { quoteTable, showTable } from "../source/names.ts";
import { readChunk } from "../source/read-chunk.ts";
import type { SharedSnapshot } from "../source/snapshot.ts";
import { inParallel } from "../tasks.ts";

/** What says that a chunk may be read again in the same snapshot, on another connection. */
const RETRYABLE = new Set([
  "40001", // a mirror cannot replay and answer at the same time
  "55P03", // somebody waits for the table, and we must not wait behind him
]);
const MAX_TRIES = 5;
const RETRY_MS = 500;

/** Reads all chunks of a plan that are not there yet, on connections of one snapshot. */
export async function readChunks(
  snapshot: SharedSnapshot,
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
  const workers = new Workers(snapshot);
  await inParallel(open, Math.min(jobs, Math.max(1, open.length)), signal, async (index, stop) => {
    done[index] = await readOne(workers, plan, index, format, meter, stop);
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
  workers: Workers,
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
    const worker = await workers.take(signal);
    try {
      // not waited for: behind whoever waits for an exclusive lock we would wait for ever
      await worker.query(`LOCK TABLE ONLY ${quoteTable(table)} IN ACCESS SHARE MODE NOWAIT`);
      const read = await readChunk(
        worker,
        table,
        chunk.pages,
        format,
        chunkFile(index, plan.ending),
        signal,
        (count) => {
          bytes += count;
          meter.addBytes(count);
        },
      );
      workers.giveBack(worker);
      meter.done(read.rows, chunk.weight);
      return { ...read, table: chunk.table };
    } catch (error) {
      workers.drop(worker);
      signal.throwIfAborted();
      meter.takeBack(bytes);
      if (error instanceof BackupError) throw error;
      const isLost = error instanceof ReservedLostError;
      if (!isLost && !RETRYABLE.has(codeOf(error))) {
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

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | null)?.code);

/** Connections in the snapshot that read nothing at the moment. */
class Workers {
  readonly #snapshot: SharedSnapshot;
  readonly #idle: ReservedConnection[] = [];

  constructor(snapshot: SharedSnapshot) {
    this.#snapshot = snapshot;
  }

  async take(signal: AbortSignal): Promise<ReservedConnection> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) if (idle.isOpen) return idle;
    try {
      return await this.#snapshot.join(signal);
    } catch (error) {
      signal.throwIfAborted();
      const isGone = error instanceof ReservedLostError || codeOf(error) === "22023" || codeOf(error) === "NO_NODE";
      if (!isGone) throw error;
      throw new BackupError("SOURCE_LOST", `the snapshot on ${this.#snapshot.source.node} is gone`, {
        cause: error,
        retryable: true,
      });
    }
  }

  giveBack(worker: ReservedConnection): void {
    this.#idle.push(worker);
  }

  drop(worker: ReservedConnection): void {
    this.#snapshot.leave(worker);
  }
}
