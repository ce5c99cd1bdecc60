import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import { branch } from "../branch.ts";
import { planChunks } from "../copy/chunks.ts";
import type { Chunk } from "../copy/plan.ts";
import type { View } from "../dialect.ts";
import { type Bridge, bridgeOf } from "../dialects.ts";
import { JobError, refused } from "../errors.ts";
import { codeOf, isPassing, ViewLost } from "../faults.ts";
import { delegated } from "../fleet/delegated.ts";
import { type Delegate, ticketOf } from "../fleet/unit.ts";
import type { ComparedRange } from "../fleet/unit-worker.ts";
import { type Catalog, nameOf, type Range, type Table } from "../model.ts";
import { checkChoice, checkListener, checkNumbers, checkOptions, type JobOptions } from "../options.ts";
import { comparable, type Pair, pairTables } from "../pair-tables.ts";
import { Meter, type Progress } from "../progress.ts";
import { selectTables } from "../select.ts";
import type { LossyRule } from "../types/fit.ts";
import { type Difference, findDifferences, type Suspect } from "./find-differences.ts";
import { recheck } from "./recheck.ts";
import { Side } from "./side.ts";

export interface CompareOptions extends JobOptions {
  /** `mirror` (default): read the source from a mirror where one is fit. The target is read on its primary. */
  readonly readFrom?: "mirror" | "primary";
  /** About how much of a table is compared by one checksum; default 8 MiB; 64 MiB where the key has no index of use. */
  readonly chunkBytes?: number;
  /** Ends after so many differences; default 10000. */
  readonly maxDifferences?: number;
  /** How often what differs is looked at again, since the source may move and the target follow; default 3, 0 is off. */
  readonly rechecks?: number;
  /** Milliseconds between two looks; default 1000. */
  readonly recheckMs?: number;
  /** How often a chunk may be tried; default 20. */
  readonly attempts?: number;
  /** Has ranges compared by other processes, `connections` at a time, in place of doing it here: see {@link Delegate}. */
  readonly delegate?: Delegate;
  readonly onProgress?: (progress: Progress) => void;
}

export interface CompareReport {
  /** Every row of both sides was compared, and none differs. */
  readonly isEqual: boolean;
  readonly tables: number;
  /** Rows that were compared, on each side. */
  readonly rows: { readonly from: number; readonly to: number };
  readonly differences: readonly Difference[];
  /** Rows that were never seen the same twice: the source changes them faster than they are looked at. */
  readonly moving: readonly Difference[];
  /** There are more differences than were asked for. */
  readonly isTruncated: boolean;
  readonly durationMs: number;
}

/** The usual size of a chunk that is compared, in bytes, where an index finds it: all of it is read again where one row differs. */
export const COMPARED_BYTES: number = 8 * 1024 ** 2;

const KEYS = [
  "readFrom",
  "chunkBytes",
  "maxDifferences",
  "rechecks",
  "recheckMs",
  "attempts",
  "delegate",
  "onProgress",
];

/**
 * Proves that the tables of two databases are equal, or finds the rows that are not: by checksums that the servers compute over
 * ranges of keys. Tables without a key are compared whole.
 * @throws {JobError} `REFUSED` where tables cannot be compared; {@link OptionsError}
 */
export async function compare(options: CompareOptions): Promise<CompareReport> {
  checkOptions(options, KEYS);
  const names = ["connections", "chunkBytes", "maxDifferences", "rechecks", "recheckMs", "attempts"] as const;
  const numbers = checkNumbers(options as never, names);
  const readFrom = checkChoice("readFrom", options.readFrom, ["mirror", "primary"]);
  checkListener("onProgress", options.onProgress);
  checkListener("delegate", options.delegate);
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const { from, to } = options;
  const bridge = await bridgeOf(from, to, new Set(options.lossy));
  const meter = new Meter("compare", options.onProgress);
  const { delegate } = options;
  const indexedBytes = options.chunkBytes ?? COMPARED_BYTES;
  const given = { bridge, from, to, numbers, indexedBytes, readFrom, signal, meter, ...(delegate && { delegate }) };
  const found = await findAll(given, (source, target) => choose(options, bridge, source, target));
  const checked = await recheck({ bridge, from, to, signal }, found.pairs, found.suspects, numbers);
  meter.enter("done");
  return Object.freeze({
    isEqual: checked.differences.length === 0 && checked.moving.length === 0 && !found.isTruncated,
    tables: found.pairs.length,
    rows: Object.freeze(found.rows),
    differences: checked.differences.map(toDifference),
    moving: checked.moving.map(toDifference),
    isTruncated: found.isTruncated,
    durationMs: Math.round(meter.elapsedMs),
  });
}

const toDifference = ({ table, key, what }: Suspect): Difference => Object.freeze({ table, key, what });

/** @throws {JobError} `REFUSED` */
export function choose(options: JobOptions, bridge: Bridge, source: Catalog, target: Catalog): readonly Pair[] {
  const { tables, missing } = selectTables(source, options.tables, options.exclude ?? [], bridge.target.state.tables);
  const { pairs, refusals } = pairTables(tables, target, bridge);
  const all = [...missing.map((table) => ({ table, reason: "the source has no such table" })), ...refusals];
  if (tables.length === 0 && missing.length === 0)
    all.push({ table: "", reason: "the source has no table that the role may see" });
  if (all.length > 0) throw refused("the comparison is", all);
  return pairs.map(comparable);
}

interface Search {
  readonly bridge: Bridge;
  readonly from: FailoverPool;
  readonly to: FailoverPool;
  readonly numbers: Readonly<Record<"connections" | "chunkBytes" | "maxDifferences" | "attempts", number>>;
  /** The size of chunks of tables whose key is indexed; default that of all. */
  readonly indexedBytes?: number;
  readonly readFrom: "mirror" | "primary";
  readonly signal: AbortSignal;
  readonly meter: Meter;
  readonly delegate?: Delegate;
  /** In place of a view of its own. */
  readonly openView?: () => Promise<View>;
}

interface Found {
  readonly pairs: readonly Pair[];
  /** Of the target. */
  readonly foreignKeys: Catalog["foreignKeys"];
  readonly suspects: readonly Suspect[];
  readonly isTruncated: boolean;
  readonly rows: { from: number; to: number };
}

/** Both catalogues, which are let go when tables are picked. */
async function read(
  bridge: Bridge,
  here: View,
  there: View,
  pick: (source: Catalog, target: Catalog) => readonly Pair[],
  signal: AbortSignal,
): Promise<Pick<Found, "pairs" | "foreignKeys">> {
  const source = await bridge.source.readCatalog(here.holder, signal);
  const target = await bridge.target.readCatalog(there.holder, signal);
  return { pairs: pick(source, target), foreignKeys: target.foreignKeys };
}

/** One pass over everything. Whatever is lost on the way is looked at again. */
export async function findAll(
  { bridge, from, to, numbers, indexedBytes, readFrom, signal, meter, delegate, openView }: Search,
  pick: (source: Catalog, target: Catalog) => readonly Pair[],
): Promise<Found> {
  const { connections } = numbers;
  // a fleet has connections of its own
  const readers = delegate === undefined ? connections : 1;
  const here = new Side(openView ?? (() => bridge.source.openView(from, readFrom, readers, signal)));
  const there = new Side(() => bridge.target.openView(to, "primary", readers, signal));
  try {
    const view = await here.view(signal);
    const { pairs, foreignKeys } = await read(bridge, view, await there.view(signal), pick, signal);
    const tables = pairs.map((pair) => pair.source);
    const { chunkBytes } = numbers;
    const chunks = await planChunks(bridge.source, view.holder, tables, chunkBytes, signal, indexedBytes);
    meter.plan(chunks.map(({ weight }) => weight));
    meter.enter("rows");
    const suspects: Suspect[] = [];
    const rows = { from: 0, to: 0 };
    let isTruncated = false;
    const take = (batch: readonly Suspect[]): boolean => {
      const room = numbers.maxDifferences - suspects.length;
      suspects.push(...batch.slice(0, room));
      isTruncated ||= batch.length > room;
      return !isTruncated;
    };
    const queue = chunks.values();
    const work = async (): Promise<void> => {
      const readers = { from: undefined, to: undefined } as Record<"from" | "to", ReservedConnection | undefined>;
      const own = branch(signal);
      try {
        for (const chunk of queue) {
          if (isTruncated) return;
          const outcome = await search(chunk, readers, own.signal);
          rows.from += outcome.from;
          rows.to += outcome.to;
          meter.count(outcome.from);
          meter.finish(chunk.weight);
        }
      } finally {
        own.end();
        readers.from?.release();
        readers.to?.release();
      }
    };
    const search = async (
      { table, range, id }: Chunk,
      readers: Record<"from" | "to", ReservedConnection | undefined>,
      signal: AbortSignal,
    ): Promise<{ from: number; to: number }> => {
      for (let attempt = 1; ; attempt += 1) {
        signal.throwIfAborted();
        const batches: Suspect[] = [];
        try {
          if (delegate !== undefined) {
            const views = { here: await here.view(signal), there: await there.view(signal) };
            const { maxDifferences } = numbers;
            const { source: name } = pairs[table] as Pair; // a chunk of the list above
            const given = { delegate, ...views, maxDifferences, table: name, range, lossy: [...bridge.lossy] };
            const { rows: compared, suspects: found } = await compareElsewhere(given, signal);
            take(found);
            return compared;
          }
          if (readers.from?.isOpen !== true) readers.from = await here.reader(signal);
          if (readers.to?.isOpen !== true) readers.to = await there.reader(signal);
          const sides = { bridge, from: readers.from, to: readers.to, signal };
          const isFull = (batch: readonly Suspect[]): boolean => {
            batches.push(...batch);
            return batches.length + suspects.length <= numbers.maxDifferences;
          };
          const pair = pairs[table] as Pair; // a chunk of the list above
          const work = (): ReturnType<typeof findDifferences> => findDifferences(sides, pair, range, isFull);
          const { from: one, to: other } = sides;
          const outcome = await bridge.source.guard(one, () => bridge.target.guard(other, work, signal), signal);
          take(batches);
          return outcome.rows;
        } catch (error) {
          signal.throwIfAborted();
          if (!isPassing(error) && !(error instanceof ViewLost)) throw error;
          if (attempt >= numbers.attempts) {
            const name = nameOf((pairs[table] as Pair).source);
            const message = `chunk ${id} of ${name} could not be compared in ${attempt} attempts`;
            throw new JobError("CHUNK_FAILED", message, { cause: error });
          }
          // a failed transaction is of no use; a view that a mirror took away is not to be had again
          readers.from?.release();
          readers.to?.release();
          if (codeOf(error) === "40001") here.close();
          await sleep(REST_MS, undefined, { signal });
        }
      }
    };
    await Promise.all(Array.from({ length: connections }, work));
    return { pairs, foreignKeys, suspects, isTruncated, rows };
  } finally {
    here.close();
    there.close();
  }
}

const REST_MS = 100;

/** Has a range compared by another process. */
function compareElsewhere(
  given: {
    readonly delegate: Delegate;
    readonly here: View;
    readonly there: View;
    readonly table: Table;
    readonly range: Range;
    readonly maxDifferences: number;
    readonly lossy: readonly LossyRule[];
  },
  signal: AbortSignal,
): Promise<ComparedRange> {
  const { delegate, range, maxDifferences, lossy } = given;
  const { schema, name } = given.table;
  const views = { here: ticketOf(given.here), there: ticketOf(given.there) };
  const unit = { kind: "compare", table: { schema, name }, range, maxDifferences, lossy, ...views } as const;
  return delegated(delegate, unit, signal);
}
