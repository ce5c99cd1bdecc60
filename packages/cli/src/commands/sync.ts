import type { FailoverPool } from "@mirrorpool/core";
import {
  compare,
  copy,
  type Delegate,
  type Difference,
  type FollowEvent,
  type FollowOptions,
  type FollowStats,
  follow,
  type LossyRule,
  type Progress,
  type Refusal,
  repair,
} from "@mirrorpool/sync";
import { keepUrlSecret } from "../config/redact.ts";
import type { Context } from "../context.ts";
import { exitCodes, UsageError } from "../errors.ts";
import { requireNames, UNITS_AT_A_TIME, withFleet } from "../fleet/fleet.ts";
import { bytes, count, duration, plural, table } from "../output/format.ts";
import { showProgress } from "../output/job-progress.ts";

export interface SyncFlags {
  readonly from: string;
  readonly to: string;
  readonly tables?: string[];
  readonly exclude?: string[];
  readonly connections?: number;
  readonly readFrom?: "mirror" | "primary";
  readonly lossy?: LossyRule[];
  readonly chunkBytes?: number;
  readonly queue?: string;
}

/** Both pools, and what all jobs of this kind take. */
async function withPools<T>(
  context: Context,
  { from, to, tables, exclude, connections, readFrom, lossy, queue }: SyncFlags,
  work: (options: ReturnType<typeof common> & { readonly from: FailoverPool; readonly to: FailoverPool }) => Promise<T>,
): Promise<T> {
  if (queue !== undefined) requireNames([from, to]);
  const [source, target] = [await context.cluster(from), await context.cluster(to)];
  return context.withPool(source, (one) =>
    context.withPool(target, async (other) => {
      await Promise.all([
        one.start({ until: "readable", signal: context.signal }),
        other.start({ signal: context.signal }),
      ]);
      return work({ from: one, to: other, ...common(context, { tables, exclude, connections, readFrom, lossy }) });
    }),
  );
}

function common(
  context: Context,
  flags: { [K in "tables" | "exclude" | "connections" | "readFrom" | "lossy"]: SyncFlags[K] | undefined },
) {
  const { tables, exclude, connections, readFrom, lossy } = flags;
  return {
    ...(tables && { tables }),
    ...(exclude && { exclude }),
    ...(connections !== undefined && { connections }),
    ...(readFrom !== undefined && { readFrom }),
    ...(lossy !== undefined && { lossy }),
    signal: context.signal,
    onProgress: (progress: Progress) => showProgress(context.output, progress),
  };
}

/** Runs a job by itself, or with `--queue` at the head of a fleet of workers. */
async function led<T>(
  context: Context,
  { from, to, connections, chunkBytes, queue }: SyncFlags,
  run: (options: {
    readonly chunkBytes?: number;
    readonly connections?: number;
    readonly delegate?: Delegate;
  }) => Promise<T>,
): Promise<T> {
  const size = chunkBytes === undefined ? {} : { chunkBytes };
  if (queue === undefined) return run(size);
  return withFleet(context, queue, { from, to }, ({ delegate }) =>
    run({ ...size, connections: connections ?? UNITS_AT_A_TIME, delegate }),
  );
}

/** Copies tables from one cluster to another. */
export async function runCopy(
  context: Context,
  flags: SyncFlags & { readonly job?: string; readonly into?: "empty" | "replace"; readonly createTables?: boolean },
): Promise<void> {
  const { job, into, createTables = false } = flags;
  await withPools(context, flags, async (options) => {
    const own = { ...(job !== undefined && { job }), ...(into !== undefined && { into }), createTables };
    const report = await led(context, flags, (fleet) => copy({ ...options, ...own, ...fleet }));
    for (const warning of report.warnings) context.output.warn(warning);
    context.output.result(
      report,
      () =>
        `${plural(report.tables, "table")}, ${plural(report.rows, "row")}, ${bytes(report.bytes)} in ${duration(report.durationMs)}` +
        (report.chunks.kept > 0 ? `; ${report.chunks.kept} chunks were there from an earlier run` : ""),
    );
  });
}

/** Finds the rows in which two clusters differ. */
export async function runCompare(
  context: Context,
  flags: SyncFlags & { readonly maxDifferences?: number },
): Promise<void> {
  await withPools(context, flags, async (options) => {
    const { maxDifferences } = flags;
    const own = maxDifferences === undefined ? {} : { maxDifferences };
    const report = await led(context, flags, (fleet) => compare({ ...options, ...own, ...fleet }));
    context.output.result(report, () => {
      const rows = `${count(report.rows.from)} and ${count(report.rows.to)} rows of ${plural(report.tables, "table")}`;
      const told = report.isEqual ? `equal: ${rows}` : `different: ${rows}\n\n${listOf(report.differences)}`;
      return report.isTruncated ? `${told}\nand more` : told;
    });
    if (!report.isEqual) context.exitCode = exitCodes.found;
  });
}

/** Makes the target equal to the source. */
export async function runRepair(
  context: Context,
  flags: SyncFlags & { readonly dryRun?: boolean; readonly batchRows?: number },
): Promise<void> {
  await withPools(context, flags, async (options) => {
    const { dryRun = false, batchRows } = flags;
    const report = await repair({ ...options, dryRun, ...(batchRows !== undefined && { batchRows }) });
    context.output.result(report, () => {
      const rows = `${report.inserted} rows inserted, ${report.updated} updated, ${report.deleted} deleted`;
      const refusals = report.refusals.map(({ table: name, reason }: Refusal) => `\n${name}: ${reason}`).join("");
      return dryRun ? `would be: ${rows}${refusals}\n\n${listOf(report.differences)}` : `${rows}${refusals}`;
    });
    if (!report.isEqual) context.exitCode = exitCodes.found;
  });
}

const MAX_LISTED = 50;

function listOf(differences: readonly Difference[]): string {
  const rows = differences.slice(0, MAX_LISTED).map(({ table: name, key, what }) => [name, shown(key), what]);
  const more =
    differences.length > MAX_LISTED ? `\nand ${differences.length - MAX_LISTED} more (--json shows all)` : "";
  return rows.length === 0 ? "" : table(["table", "key", "on the target"], rows) + more;
}

/** As it is where that cannot be mistaken, else as JSON. A table without a key differs somewhere. */
function shown(key: Difference["key"]): string {
  if (key === null) return "no key";
  const [text = ""] = key;
  return key.length === 1 && /^[\w.:+-]+$/.test(text) ? text : JSON.stringify(key);
}

/** How often it is told how far it is. */
const TELL_MS = 1000;

export interface FollowFlags extends SyncFlags {
  readonly job?: string;
  readonly begin?: "copy" | "replace" | "compare";
  readonly onConflict?: "stop" | "source-wins";
  readonly untilCaughtUp?: boolean;
  readonly remove?: boolean;
  readonly native?: string | boolean;
}

/** Keeps the target equal to the source, until Ctrl-C; the same command goes on. */
export async function runFollow(context: Context, flags: FollowFlags): Promise<void> {
  const { job, begin, onConflict, untilCaughtUp = false, remove = false } = flags;
  const { output, signal } = context;
  const native = await nativeOf(context, flags);
  await withPools(context, flags, async ({ signal: _, ...options }) => {
    const onEvent = (event: FollowEvent): void => output.item("event", { event }, () => JSON.stringify(event));
    await using following = await follow({
      ...options,
      ...(job !== undefined && { job }),
      ...(begin !== undefined && { begin }),
      ...(onConflict !== undefined && { onConflict }),
      ...(native !== undefined && { native }),
      onEvent,
    });
    const timer = setInterval(() => tell(context, following.stats()), TELL_MS);
    try {
      const isAsked = new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener("abort", () => resolve(), { once: true });
      });
      const isEnough = untilCaughtUp || remove ? following.caughtUp({ timeoutMs: FOREVER_MS, signal }) : isAsked;
      await Promise.race([following.ended, isAsked, isEnough]);
      if (remove && !signal.aborted) await following.remove();
      else await following.stop();
    } finally {
      clearInterval(timer);
    }
    const stats = following.stats();
    output.result(
      stats,
      () =>
        `${count(stats.changes)} changes of ${count(stats.transactions)} transactions, up to ${stats.position ?? "nothing"}`,
    );
    // it goes on for ever: to be ended is how it ends
    if (stats.state === "failed") await following.ended;
  });
}

/** How the target's server reaches the source: as was said, or by the URLs of its nodes. */
async function nativeOf(context: Context, { native, from }: FollowFlags): Promise<FollowOptions["native"]> {
  if (native === undefined || native === false) return undefined;
  if (typeof native === "string") {
    keepUrlSecret(native);
    return { connection: native };
  }
  const { nodes } = (await context.cluster(from)).config;
  const urls = nodes.map((node) => (typeof node === "string" ? node : node.url));
  const [first] = urls;
  if (urls.length === 1 && first !== undefined) return { connection: first };
  const names = nodes.map((node) => (typeof node === "string" ? undefined : node.name));
  if (urls.every((url) => url !== undefined && /^(mysql|mariadb):/.test(url)))
    // a node without a name is known by its place
    return { connection: (node) => urls.find((url, index) => (names[index] ?? placeOf(url)) === node) ?? "" };
  throw new UsageError(
    "--native: say how the target's server reaches the source, such as postgres://host1,host2/db?target_session_attrs=read-write",
  );
}

function placeOf(url: string | undefined): string {
  const { hostname, port } = new URL(url ?? "");
  return `${hostname}:${port === "" ? 3306 : port}`;
}

const FOREVER_MS = 86_400_000;

function tell({ output }: Context, stats: FollowStats): void {
  const { state, changes, lagBytes, lagMs } = stats;
  const lag =
    lagBytes === undefined ? "" : `, ${bytes(lagBytes)} behind${lagMs === undefined ? "" : `, ${duration(lagMs)}`}`;
  output.progress({ phase: state, ...stats }, undefined, `${state}: ${count(changes)} changes${lag}`);
}
