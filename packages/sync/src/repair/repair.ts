import type { FailoverPool } from "@mirrorpool/core";
import { COMPARED_BYTES, choose, findAll } from "../compare/compare.ts";
import type { Difference, Suspect } from "../compare/find-differences.ts";
import { recheck } from "../compare/recheck.ts";
import { type Bridge, bridgeOf } from "../dialects.ts";
import { JobError, type Refusal } from "../errors.ts";
import { foreignKeyOrder } from "../foreign-key-order.ts";
import { type Catalog, nameOf } from "../model.ts";
import { checkChoice, checkFlag, checkListener, checkNumbers, checkOptions, type JobOptions } from "../options.ts";
import type { Pair } from "../pair-tables.ts";
import { Meter, type Progress } from "../progress.ts";
import { type Batch, planBatches } from "./batches.ts";
import { writeBatch } from "./write-batch.ts";

export interface RepairOptions extends JobOptions {
  /** Only says what it would do; default false. */
  readonly dryRun?: boolean;
  readonly readFrom?: "mirror" | "primary";
  /** Rows of one transaction; default 500. */
  readonly batchRows?: number;
  readonly chunkBytes?: number;
  /** Differences that are looked for before they are written, and then for the next ones; default 10000. */
  readonly maxDifferences?: number;
  readonly rechecks?: number;
  readonly recheckMs?: number;
  readonly attempts?: number;
  readonly onProgress?: (progress: Progress) => void;
}

export interface RepairReport {
  /** The last comparison found no difference. Never true for a dry run that found some. */
  readonly isEqual: boolean;
  /** Rows that were written, or would be. */
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  /** Tables that differ and cannot be repaired row by row, with the reason. */
  readonly refusals: readonly Refusal[];
  /** What a dry run would write, up to `maxDifferences`; what is left otherwise. */
  readonly differences: readonly Difference[];
  readonly durationMs: number;
}

const KEYS = [
  "dryRun",
  "readFrom",
  "batchRows",
  "chunkBytes",
  "maxDifferences",
  "rechecks",
  "recheckMs",
  "attempts",
  "onProgress",
];

/** How often rows may wait for each other: longer chains than these are a circle, or as good as one. */
const MAX_TURNS = 20;
/** Rounds without an end in sight: a source that moves is for `follow`. */
const MAX_ROUNDS = 1000;

/**
 * Makes the target equal to the source: finds what differs, and writes that in small transactions, each whole; parents before
 * children, and deletes in the opposite order. Ends with a comparison.
 * @throws {JobError} `REPAIR_CONFLICT` where a row cannot be written since something on the target stands in the way
 */
export async function repair(options: RepairOptions): Promise<RepairReport> {
  checkOptions(options, KEYS);
  const names = [
    "connections",
    "batchRows",
    "chunkBytes",
    "maxDifferences",
    "rechecks",
    "recheckMs",
    "attempts",
  ] as const;
  const numbers = checkNumbers(options as never, names);
  const readFrom = checkChoice("readFrom", options.readFrom, ["mirror", "primary"]);
  const isDry = checkFlag("dryRun", options.dryRun);
  checkListener("onProgress", options.onProgress);
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const { from, to } = options;
  const bridge = await bridgeOf(from, to, new Set(options.lossy));
  const meter = new Meter("repair", options.onProgress);
  const indexedBytes = options.chunkBytes ?? COMPARED_BYTES;
  const search = { bridge, from, to, numbers, indexedBytes, readFrom, signal, meter };
  const counts = { inserted: 0, updated: 0, deleted: 0 };
  for (let round = 1; ; round += 1) {
    const looked = await repairOnce(options, search, counts, isDry || round >= MAX_ROUNDS);
    if (looked === undefined) continue;
    meter.enter("done");
    return Object.freeze({ ...looked, ...counts, durationMs: Math.round(meter.elapsedMs) });
  }
}

/**
 * Compares, and writes what differs. In a function of its own: what it has read of ten thousand tables is let go before the next
 * comparison.
 * @param isLast nothing is written
 * @returns what there is to report, where there was nothing to write, or nothing is to be written
 */
async function repairOnce(
  options: RepairOptions,
  search: Parameters<typeof findAll>[0] & { readonly numbers: Numbers },
  counts: Counts,
  isLast: boolean,
): Promise<Pick<RepairReport, "isEqual" | "refusals" | "differences"> | undefined> {
  const { bridge, from, to, numbers, signal } = search;
  const found = await findAll(search, (source, target) => choose(options, bridge, source, target));
  const { differences } = await recheck({ bridge, from, to, signal }, found.pairs, found.suspects, numbers);
  const isKeyed = ({ key }: Suspect): boolean => key !== null;
  const rows = differences.filter(isKeyed);
  if (rows.length > 0 && !isLast) {
    const work = { bridge, from, to, signal, pairs: found.pairs, batchRows: numbers.batchRows };
    await writeAll(work, found.foreignKeys, rows, counts);
    return undefined;
  }
  if (options.dryRun === true) count(counts, rows);
  return {
    isEqual: found.suspects.length === 0 && !found.isTruncated,
    refusals: differences.filter((each) => !isKeyed(each)).map(toRefusal),
    differences: rows.map(({ table, key, what }) => ({ table, key, what })),
  };
}

type Counts = Record<"inserted" | "updated" | "deleted", number>;
type Numbers = Readonly<Record<"batchRows" | "rechecks" | "recheckMs", number>>;

const toRefusal = ({ table }: Suspect): Refusal => ({
  table,
  reason: "it differs and has no primary key, so that no row can be named: copy it anew",
});

function count(counts: Counts, rows: readonly Suspect[]): void {
  for (const { what } of rows) counts[what === "missing" ? "inserted" : what === "extra" ? "deleted" : "updated"] += 1;
}

interface Work {
  readonly bridge: Bridge;
  readonly from: FailoverPool;
  readonly to: FailoverPool;
  readonly signal: AbortSignal;
  readonly pairs: readonly Pair[];
  readonly batchRows: number;
}

/**
 * What is in the way of one row may be another one that is still to be written: a batch that fails is halved, and the rows that
 * are left are tried again after all others, as long as that gets on.
 */
async function writeAll(
  work: Work,
  foreignKeys: Catalog["foreignKeys"],
  rows: readonly Suspect[],
  counts: Counts,
): Promise<void> {
  const { pairs, batchRows } = work;
  const tables = pairs.map((pair) => pair.target);
  const { levels } = foreignKeyOrder(tables, foreignKeys);
  let left = rows;
  for (let turn = 1; ; turn += 1) {
    const postponed: Postponed[] = [];
    for (const batch of planBatches(left, levels, batchRows)) {
      const pair = pairs.find(({ source }) => nameOf(source) === batch.table) as Pair; // rows are of these tables
      const failed = await writeOrHalve(work, pair, batch);
      const there = new Set(failed.map(({ row }) => row));
      count(
        counts,
        batch.rows.filter((row) => !there.has(row)),
      );
      postponed.push(...failed);
    }
    const [first] = postponed;
    if (first === undefined) return;
    if (postponed.length === left.length || turn >= MAX_TURNS) {
      const message = `${postponed.length} rows could not be written, the first one in ${first.row.table} with the key ${JSON.stringify(first.row.key)}: another row or a constraint of the target stands in the way`;
      throw new JobError("REPAIR_CONFLICT", message, { cause: first.obstacle, resumable: true });
    }
    left = postponed.map(({ row }) => row);
  }
}

interface Postponed {
  readonly row: Suspect;
  readonly obstacle: unknown;
}

/** Returns the rows that could not be written. */
async function writeOrHalve(work: Work, pair: Pair, batch: Batch): Promise<readonly Postponed[]> {
  try {
    await writeBatch(work, pair, batch);
    return [];
  } catch (obstacle) {
    if (!work.bridge.target.isConflict(obstacle)) throw obstacle;
    const { rows } = batch;
    if (rows.length === 1) return rows.map((row) => ({ row, obstacle }));
    const middle = Math.ceil(rows.length / 2);
    const first = await writeOrHalve(work, pair, { ...batch, rows: rows.slice(0, middle) });
    const second = await writeOrHalve(work, pair, { ...batch, rows: rows.slice(middle) });
    return [...first, ...second];
  }
}
