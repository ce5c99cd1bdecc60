import type { FailoverPool } from "@mirrorpool/core";
import { findDifferences, type Suspect } from "../compare/find-differences.ts";
import { type ChunkResult, copyChunk } from "../copy/copy-chunk.ts";
import type { CopyPlan } from "../copy/plan.ts";
import { type Bridge, bridgeOf } from "../dialects.ts";
import { JobError, refused } from "../errors.ts";
import { codeOf, isPassing, ViewLost } from "../faults.ts";
import { type Catalog, nameOf, type Table, type TableName } from "../model.ts";
import { type Crossing, comparable, type Pair, pairTables } from "../pair-tables.ts";
import { onPrimary } from "../querier.ts";
import { JoinedViews } from "./joined-view.ts";
import type { CompareUnit, CopyUnit, Unit, UnitOutcome } from "./unit.ts";

/** What a range that a worker has compared comes to. */
export interface ComparedRange {
  readonly rows: { readonly from: number; readonly to: number };
  readonly suspects: readonly Suspect[];
}

/** What a worker has read of a copy, once for all of its chunks. */
interface BegunCopy {
  readonly plan: CopyPlan;
  readonly target: Catalog;
}

/** Does units of copies and comparisons between two pools, as they come. */
export class UnitWorker {
  readonly #from: FailoverPool;
  readonly #to: FailoverPool;
  #parts: Promise<Parts> | undefined;
  #begun: { readonly key: string; readonly copy: Promise<BegunCopy> } | undefined;

  constructor(from: FailoverPool, to: FailoverPool) {
    this.#from = from;
    this.#to = to;
  }

  /** Never rejects: what went wrong is an outcome, for whoever has given the unit out. */
  async run(unit: Unit, signal: AbortSignal): Promise<UnitOutcome> {
    try {
      this.#parts ??= this.#prepare();
      const parts = await this.#parts;
      const result = unit.kind === "copy" ? await this.#copy(parts, unit, signal) : await compare(parts, unit, signal);
      return { what: "done", result };
    } catch (error) {
      if (unit.kind === "copy") this.#begun = undefined;
      // what a mirror takes away it takes away again
      if (codeOf(error) === "40001") return { what: "view-lost", isTakenAway: true };
      if (error instanceof ViewLost) return { what: "view-lost", isTakenAway: error.cause !== undefined };
      const message = error instanceof Error ? error.message : String(error);
      return { what: "failed", isPassing: isPassing(error), code: codeOf(error), message };
    }
  }

  /** Lets go of all views. */
  async close(): Promise<void> {
    const parts = await this.#parts?.catch(() => undefined);
    parts?.sources.close();
    parts?.targets.close();
  }

  async #prepare(): Promise<Parts> {
    const bridge = await bridgeOf(this.#from, this.#to);
    const sources = new JoinedViews(bridge.source, this.#from);
    return { bridge, sources, targets: new JoinedViews(bridge.target, this.#to) };
  }

  async #copy({ bridge, sources }: Parts, unit: CopyUnit, signal: AbortSignal): Promise<ChunkResult> {
    const { job, generation, stallMs } = unit;
    const { plan, target } = await this.#begin(bridge, unit, signal);
    const chunk = plan.chunks[unit.chunk];
    const planned = chunk && plan.tables[chunk.table];
    if (chunk === undefined || planned === undefined)
      throw new JobError("JOB_CONFLICT", `the copy ${job} has no chunk ${unit.chunk}: it was begun anew`);
    return sources.use(unit.view, signal, ({ connection, isSame }, catalog) => {
      const pair = pairOf({ ...bridge, lossy: new Set(unit.lossy) }, catalog, target, planned);
      const { range, id } = chunk;
      const place = { job, generation, chunk: id, isSameView: isSame, planned, range };
      return copyChunk({ bridge, ...place, ...pair, stallMs, signal, onBytes: () => {} }, connection, this.#to);
    });
  }

  #begin(bridge: Bridge, { job, generation }: CopyUnit, signal: AbortSignal): Promise<BegunCopy> {
    const key = `${generation} ${job}`;
    if (this.#begun?.key !== key) this.#begun = { key, copy: readCopy(bridge, this.#to, job, signal) };
    return this.#begun.copy;
  }
}

interface Parts {
  readonly bridge: Bridge;
  readonly sources: JoinedViews;
  readonly targets: JoinedViews;
}

async function readCopy({ target }: Bridge, to: FailoverPool, job: string, signal: AbortSignal): Promise<BegunCopy> {
  const stored = await target.state.load(onPrimary(to), job);
  if (stored?.kind !== "copy") throw new JobError("JOB_CONFLICT", `the target has no copy ${job}`);
  return { plan: JSON.parse(stored.plan) as CopyPlan, target: await target.readPrimary(to, signal) };
}

async function compare(
  { bridge, sources, targets }: Parts,
  unit: CompareUnit,
  signal: AbortSignal,
): Promise<ComparedRange> {
  return sources.use(unit.here, signal, ({ connection: from }, here) =>
    targets.use(unit.there, signal, async ({ connection: to }, there) => {
      const pair = comparable(pairOf({ ...bridge, lossy: new Set(unit.lossy) }, here, there, unit.table));
      const suspects: Suspect[] = [];
      const take = (batch: readonly Suspect[]): boolean => {
        suspects.push(...batch);
        return suspects.length <= unit.maxDifferences;
      };
      const work = (): ReturnType<typeof findDifferences> =>
        findDifferences({ bridge, from, to, signal }, pair, unit.range, take);
      const { rows } = await bridge.source.guard(from, () => bridge.target.guard(to, work, signal), signal);
      return { rows, suspects };
    }),
  );
}

/** The table and its other half, as the leader has paired them. */
function pairOf(crossing: Crossing, source: Catalog, target: Catalog, name: TableName): Pair {
  const { pairs, refusals } = pairTables([find(source, name)], { ...target, tables: [find(target, name)] }, crossing);
  const [pair] = pairs;
  if (pair === undefined) throw refused("the unit is", refusals);
  return pair;
}

/** A database may have ten thousand tables, and a unit for each. */
const INDEXES = new WeakMap<Catalog, ReadonlyMap<string, Table>>();

function find(catalog: Catalog, name: TableName): Table {
  const index = INDEXES.get(catalog) ?? new Map(catalog.tables.map((table) => [nameOf(table), table]));
  INDEXES.set(catalog, index);
  const table = index.get(nameOf(name));
  if (table === undefined) throw new JobError("REFUSED", `the worker cannot see the table ${nameOf(name)}`);
  return table;
}
