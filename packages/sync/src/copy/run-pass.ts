import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import { branch } from "../branch.ts";
import type { View } from "../dialect.ts";
import type { Bridge } from "../dialects.ts";
import { JobError } from "../errors.ts";
import { codeOf, isPassing, ViewLost } from "../faults.ts";
import { delegated } from "../fleet/delegated.ts";
import { type Delegate, ticketOf } from "../fleet/unit.ts";
import { nameOf } from "../model.ts";
import type { Pair } from "../pair-tables.ts";
import type { Meter } from "../progress.ts";
import { type ChunkResult, copyChunk } from "./copy-chunk.ts";
import { interleave } from "./interleave.ts";
import type { Chunk, CopyPlan } from "./plan.ts";

export interface Pass {
  readonly bridge: Bridge;
  readonly job: string;
  readonly to: FailoverPool;
  readonly plan: CopyPlan;
  /** By the plan's index of tables. */
  readonly pairs: readonly Pair[];
  readonly generation: number;
  readonly view: View;
  readonly connections: number;
  readonly stallMs: number;
  readonly attempts: number;
  readonly delegate: Delegate | undefined;
  readonly meter: Meter;
  readonly onChunk: (chunk: number, result: ChunkResult) => void;
}

/**
 * Works chunks off, several at a time, from one view. Each is tried again as long as what went wrong may mend.
 * @throws {ViewLost} when that is gone; those that are done stay done
 */
export async function runPass(pass: Pass, chunks: readonly Chunk[], signal: AbortSignal): Promise<void> {
  const byLevel = new Map<number, Chunk[]>();
  for (const chunk of chunks) {
    const level = pass.plan.tables[chunk.table]?.level ?? 0;
    const group = byLevel.get(level);
    if (group === undefined) byLevel.set(level, [chunk]);
    else group.push(chunk);
  }
  for (const level of [...byLevel.keys()].sort((one, other) => one - other)) {
    const queue = interleave(byLevel.get(level) ?? [], pass.connections, ({ weight }) => weight).values();
    const failed = new AbortController();
    const either = AbortSignal.any([signal, failed.signal]);
    const workers = Array.from({ length: pass.connections }, () => work(pass, queue, either));
    const ends = await Promise.allSettled(workers.map((worker) => worker.catch((error) => failWith(failed, error))));
    signal.throwIfAborted();
    if (ends.some(({ status }) => status === "rejected")) throw failed.signal.reason;
  }
}

/** The first error counts; the others come of it. */
function failWith(failed: AbortController, error: unknown): never {
  if (!failed.signal.aborted) failed.abort(error);
  throw error;
}

async function work(pass: Pass, queue: IterableIterator<Chunk>, signal: AbortSignal): Promise<void> {
  let reader: ReservedConnection | undefined;
  const own = branch(signal);
  try {
    for (const chunk of queue) reader = await finish(pass, chunk, reader, own.signal);
  } finally {
    own.end();
    reader?.release();
  }
}

const REST_MS = 100;

/** Returns the connection to the source for the next chunk. */
async function finish(
  pass: Pass,
  chunk: Chunk,
  given: ReservedConnection | undefined,
  signal: AbortSignal,
): Promise<ReservedConnection | undefined> {
  const { bridge, job, generation, view, meter, stallMs, plan, pairs, attempts } = pass;
  let reader = given;
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted();
    let moved = 0;
    const onBytes = (bytes: number): void => {
      moved += bytes;
      meter.move(bytes);
    };
    const planned = plan.tables[chunk.table];
    const pair = pairs[chunk.table];
    if (planned === undefined || pair === undefined) throw new Error(`chunk ${chunk.id} is of no table of the plan`);
    try {
      if (pass.delegate !== undefined) {
        finished(pass, chunk, await give(pass, pass.delegate, chunk, signal));
        return undefined;
      }
      if (reader?.isOpen !== true) reader = await view.reader(signal);
      const { range, id } = chunk;
      const place = { job, generation, chunk: id, isSameView: true, planned, range };
      finished(pass, chunk, await copyChunk({ bridge, ...place, ...pair, stallMs, signal, onBytes }, reader, pass.to));
      return reader;
    } catch (error) {
      meter.takeBack(moved);
      signal.throwIfAborted();
      if (error instanceof ViewLost) throw error;
      // a mirror that has to go on takes the view away, and would again
      if (codeOf(error) === "40001") throw new ViewLost(error);
      if (!isPassing(error)) throw error;
      if (attempt >= attempts) {
        const message = `chunk ${chunk.id} of ${nameOf(planned)} could not be copied in ${attempt} attempts. Run the same copy again: it goes on from the chunks that are finished`;
        throw new JobError("CHUNK_FAILED", message, { cause: error, resumable: true });
      }
      await sleep(REST_MS, undefined, { signal });
    }
  }
}

function finished({ meter, onChunk }: Pass, { id, weight }: Chunk, result: ChunkResult): void {
  if (result.isFinal) meter.finish(weight);
  onChunk(id, result);
}

/** Has a chunk done by another process, and counts its bytes when it is done. */
async function give(
  { bridge, job, generation, stallMs, view, meter }: Pass,
  delegate: Delegate,
  { id }: Chunk,
  signal: AbortSignal,
): Promise<ChunkResult> {
  // also where the view has moved to another connection meanwhile
  if (!view.isAlive) throw new ViewLost(undefined);
  const lossy = [...bridge.lossy];
  const unit = { kind: "copy", job, generation, chunk: id, stallMs, lossy, view: ticketOf(view) } as const;
  const result = await delegated<ChunkResult>(delegate, unit, signal);
  meter.move(result.bytes);
  return result;
}
