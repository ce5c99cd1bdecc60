import type { FailoverPool } from "@mirrorpool/core";
import type { View } from "../dialect.ts";
import { bridgeOf } from "../dialects.ts";
import { JobError, type Refusal, refused } from "../errors.ts";
import { isPassing, ViewLost } from "../faults.ts";
import type { Delegate } from "../fleet/unit.ts";
import { type Catalog, type Constraints, nameOf } from "../model.ts";
import {
  checkChoice,
  checkFlag,
  checkJobName,
  checkListener,
  checkNumbers,
  checkOptions,
  type JobOptions,
} from "../options.ts";
import { type Pair, pairTables } from "../pair-tables.ts";
import { Meter, type Progress } from "../progress.ts";
import { onPrimary } from "../querier.ts";
import { selectTables } from "../select.ts";
import { bringKeysBack } from "./bring-back.ts";
import type { ChunkResult } from "./copy-chunk.ts";
import { type Finished, finishCopy } from "./finish.ts";
import { makeMissing } from "./make-missing.ts";
import type { Chunk, CopyPlan } from "./plan.ts";
import { runPass } from "./run-pass.ts";
import { settlePlan } from "./settle-plan.ts";
import type { CopyWork, Work } from "./work.ts";

export interface CopyOptions extends JobOptions {
  /** Under this name the target keeps how far the copy is; the same call goes on with it. Default `copy`. */
  readonly job?: string;
  /**
   * `empty` (default): the target's tables have to be; `replace`: what they have is removed first; `compare`: a chunk is written anew
   * only where its checksum is another one.
   */
  readonly into?: "empty" | "replace" | "compare";
  /** Makes tables that the target does not have, where that is another system: see the README. Default false. */
  readonly createTables?: boolean;
  /** `mirror` (default): read from a mirror where one is fit, so that the primary carries no load. */
  readonly readFrom?: "mirror" | "primary";
  /** About how much of a table is one unit of work; default 64 MiB. */
  readonly chunkBytes?: number;
  /** A chunk of which no byte has moved for so long is begun anew; default 300000. */
  readonly stallMs?: number;
  /** How often a chunk, or the view of the source, may be lost before the copy gives up; default 20. */
  readonly attempts?: number;
  /** Has chunks done by other processes, `connections` at a time, in place of doing them here: see {@link Delegate}. */
  readonly delegate?: Delegate;
  readonly onProgress?: (progress: Progress) => void;
}

export interface CopyReport {
  readonly job: string;
  readonly tables: number;
  /** Written by this run. */
  readonly rows: number;
  readonly bytes: number;
  readonly chunks: {
    readonly total: number;
    /** Written by this run for the first time. */
    readonly copied: number;
    /** Of an earlier run, or of an earlier view of the source, and still right. */
    readonly kept: number;
    /** Of an earlier view, and written anew since the source has changed. */
    readonly redone: number;
  };
  /** Consistent views of the source that it took. */
  readonly views: number;
  readonly sequences: number;
  /** Indexes and foreign keys of the source that it did not give the tables it made, and why; without values of rows. */
  readonly warnings: readonly string[];
  readonly durationMs: number;
}

const KEYS = [
  ...["job", "into", "createTables", "readFrom", "chunkBytes", "stallMs", "attempts", "delegate", "onProgress"],
];

/**
 * Copies tables from one consistent view of the source. What is done is kept on the target chunk by chunk, in the transactions that
 * write the rows: the same call goes on where a former one was killed, and each row is there once.
 * @throws {JobError} `REFUSED` before the first row where something cannot be copied without a loss
 * @throws {OptionsError} and the errors of the pools and databases
 */
export async function copy(options: CopyOptions): Promise<CopyReport> {
  checkOptions(options, KEYS);
  const numbers = checkNumbers(options as never, ["connections", "chunkBytes", "stallMs", "attempts"]);
  const job = checkJobName(options.job, "copy");
  const into = checkChoice("into", options.into, ["empty", "replace", "compare"]);
  const readFrom = checkChoice("readFrom", options.readFrom, ["mirror", "primary"]);
  const createTables = checkFlag("createTables", options.createTables);
  checkListener("onProgress", options.onProgress);
  checkListener("delegate", options.delegate);
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const { from, to } = options;
  const bridge = await bridgeOf(from, to, new Set(options.lossy));
  const openView = (side: "primary" | "mirror"): Promise<View> =>
    bridge.source.openView(from, side, localConnections({ options, numbers }), signal);
  return runCopy({ options, numbers, bridge, job, into, createTables, readFrom, signal, openView, isAgain: false });
}

/** Copies, view after view, until everything is of one. */
export async function runCopy(given: CopyWork): Promise<CopyReport> {
  const { options, numbers, job, signal, openView } = given;
  const meter = new Meter(job, options.onProgress);
  const work: Work = { ...given, from: options.from, to: options.to, meter, written: new Map() };
  let side = given.readFrom;
  for (let views = 1; ; views += 1) {
    let view: View | undefined;
    try {
      view = await openView(side);
      const { plan, finished } = await copyFrom(work, view);
      meter.enter("done");
      return report(work, plan, views, finished);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ViewLost) && !isPassing(error)) throw error;
      if (views >= numbers.attempts) {
        const message = `the view of the source was lost ${views} times. Run the same copy again: it goes on from the chunks that are finished`;
        throw new JobError("SNAPSHOT_LOST", message, { cause: error, resumable: true });
      }
      // what conflicts with a mirror's replay does so again
      if (error instanceof ViewLost && error.cause !== undefined) side = "primary";
      if (error instanceof NotOnMirrors) side = "primary";
    } finally {
      view?.close();
    }
  }
}

/** Unlogged tables are there on the primary only. */
class NotOnMirrors extends ViewLost {}

/** What there is to do, and on which tables, by the plan's index of them. */
interface Begun {
  readonly plan: CopyPlan;
  readonly generation: number;
  readonly pairs: readonly Pair[];
}

/** Plans the copy, or finds the plan that was begun. In a function of its own: what it reads of ten thousand tables is let go with it. */
async function begin(work: Work, view: View): Promise<Begun> {
  const { bridge, job, signal, numbers, to, from } = work;
  const source = await bridge.source.readCatalog(view.holder, signal);
  await bringKeysBack({ bridge, to, job, connections: numbers.connections, signal });
  const constraints = work.createTables ? await bridge.source.readConstraints(view.holder, signal) : undefined;
  const { pairs, target } = await choose(work, source, await bridge.target.readPrimary(to, signal), constraints);
  if (pairs.some(({ source: { isUnlogged } }) => isUnlogged) && isMirror(from, view.node))
    throw new NotOnMirrors(undefined);
  await view.lock(
    pairs.map((pair) => pair.source),
    signal,
  );
  const { plan, generation } = await settlePlan(work, view, source, target, pairs, constraints);
  const byName = new Map(pairs.map((pair) => [nameOf(pair.source), pair]));
  // the plan is of these tables
  return { plan, generation, pairs: plan.tables.map((table) => byName.get(nameOf(table)) as Pair) };
}

/** Chunks that are not noted as done on the present primary. */
async function findLeft({ bridge, to, job }: Work, { plan, generation }: Begun): Promise<readonly Chunk[]> {
  const done = await bridge.target.state.loadChunks(onPrimary(to), job);
  return plan.chunks.filter(({ id }) => done.get(id)?.generation !== generation);
}

/** All that there is to do, from one view. */
async function copyFrom(work: Work, view: View): Promise<{ plan: CopyPlan; finished: Finished }> {
  const { bridge, job, signal, numbers, meter, to, from, written } = work;
  const begun = await begin(work, view);
  const { plan, generation, pairs } = begun;
  meter.plan(plan.chunks.map(({ weight }) => weight));
  let { epoch } = to.topology();
  let left = await findLeft(work, begun);
  const open = new Set(left);
  for (const chunk of plan.chunks) if (!open.has(chunk)) meter.skip(chunk.weight);
  meter.enter("rows");
  const onChunk = (id: number, { what, rows }: ChunkResult): void => {
    meter.count(what === "done" ? 0 : rows - (written.get(id)?.rows ?? 0));
    if (what === "copied" || what === "redone") written.set(id, { what, rows });
  };
  const { stallMs, attempts } = numbers;
  let { delegate } = work.options;
  // a failover of the target may have taken what was acknowledged: then its checkpoint is gone with it
  for (let round = 0; left.length > 0; round += 1) {
    if (round >= attempts) throw new JobError("CHUNK_FAILED", "the target goes on losing what it has acknowledged");
    const connections = delegate === undefined ? localConnections(work) : numbers.connections;
    const given = { bridge, job, to, plan, pairs, generation, view, connections, stallMs, attempts, meter };
    await runPass({ ...given, delegate, onChunk }, left, signal);
    // what others have read in views of their own is compared with this one, which nobody else has
    if (view.ticket?.kind === "own") delegate = undefined;
    ({ epoch } = to.topology());
    left = await findLeft(work, begun);
  }
  meter.enter("constraints");
  const finishing = { bridge, from, to, job, connections: numbers.connections, signal };
  return { plan, finished: await finishCopy(finishing, plan, pairs, epoch) };
}

/** Connections of this process: it looks over what a fleet has read, and the fleet has the others. */
const localConnections = ({ options, numbers }: Pick<CopyWork, "options" | "numbers">): number =>
  options.delegate === undefined ? numbers.connections : Math.min(numbers.connections, MAX_LEADER_CONNECTIONS);

/** Of the leader of a fleet. */
const MAX_LEADER_CONNECTIONS = 4;

function isMirror(pool: FailoverPool, node: string): boolean {
  const { primary } = pool.topology();
  return primary !== undefined && primary !== node;
}

/** @throws {JobError} `REFUSED`, with all reasons at once */
async function choose(
  { options, bridge, job, from, to, signal }: Work,
  source: Catalog,
  given: Catalog,
  constraints: Constraints | undefined,
): Promise<{ readonly pairs: readonly Pair[]; readonly target: Catalog }> {
  const { tables: chosen, exclude = [] } = options;
  const { tables, missing } = selectTables(source, chosen, exclude, bridge.target.state.tables);
  const all: Refusal[] = missing.map((table) => ({ table, reason: "the source has no such table" }));
  if (bridge.from === bridge.to && (await bridge.source.readPlace(from, signal)) === given.place)
    all.push({ table: "", reason: "source and target are the same database" });
  if (tables.length === 0 && missing.length === 0)
    all.push({ table: "", reason: "the source has no table that the role may see" });
  const target =
    constraints !== undefined && all.length === 0
      ? await makeMissing({ bridge, to, job, signal }, tables, given, constraints)
      : given;
  const { pairs, refusals } = pairTables(tables, target, bridge);
  all.push(...refusals);
  if (all.length > 0) throw refused(`the copy ${job} is`, all);
  return { pairs, target };
}

function report(
  { job, meter, written }: Work,
  plan: CopyPlan,
  views: number,
  { sequences, warnings }: Finished,
): CopyReport {
  const all = [...written.values()];
  const rows = all.reduce((sum, each) => sum + each.rows, 0);
  const total = plan.chunks.length;
  const redone = all.filter(({ what }) => what === "redone").length;
  const copied = all.length - redone;
  return Object.freeze({
    job,
    tables: plan.tables.length,
    rows,
    bytes: meter.snapshot.bytes,
    chunks: Object.freeze({ total, copied, redone, kept: total - all.length }),
    views,
    sequences,
    warnings: Object.freeze(warnings),
    durationMs: Math.round(meter.elapsedMs),
  });
}
