import { createHash } from "node:crypto";
import { OptionsError } from "@mirrorpool/core";
import { type Bridge, bridgeOf } from "../dialects.ts";
import { type Conflict, type Refusal, refused } from "../errors.ts";
import { foreignKeyOrder } from "../foreign-key-order.ts";
import { type Catalog, nameOf } from "../model.ts";
import {
  checkChoice,
  checkJobName,
  checkListener,
  checkNumbers,
  checkOptions,
  isObject,
  type JobOptions,
} from "../options.ts";
import { pairTables } from "../pair-tables.ts";
import type { Progress } from "../progress.ts";
import { selectTables } from "../select.ts";
import { Follower } from "./follower.ts";
import { openNative } from "./open-native.ts";
import { openSides } from "./sides.ts";
import type { FollowStats } from "./stats.ts";

export interface FollowOptions extends JobOptions {
  /** Under this name the target keeps how far it is; the same call goes on there. Default `follow`. */
  readonly job?: string;
  /**
   * How the target becomes equal to the source at first: `copy` (default) into empty tables, `replace` what they have, or
   * `compare` what they have and write what differs.
   */
  readonly begin?: "copy" | "replace" | "compare";
  /** What becomes of a change for which the target has not the right row: following stops (default), or the source's row is written. */
  readonly onConflict?: "stop" | "source-wins";
  /** Changes that are written in one statement for each table; default 2000. */
  readonly batchChanges?: number;
  /** Most bytes of changes that are held in memory; default 16 MiB. */
  readonly maxBatchBytes?: number;
  /** About how much of a table is one unit of work of the copy; default 64 MiB. */
  readonly chunkBytes?: number;
  /** How often a step is begun anew before following fails; default 20. One that gets on counts anew. */
  readonly attempts?: number;
  /**
   * Has the target's server follow by itself (PostgreSQL: CREATE SUBSCRIPTION; MariaDB and MySQL: replication by GTIDs), and watches
   * that: costs less, and ends where the source has lost the slot, or transactions that the target has, in a failover. Given is how the
   * target's server reaches the source. For PostgreSQL as libpq takes it; several hosts with `target_session_attrs=read-write` follow
   * the primary. For MariaDB and MySQL a URL with a host for each of the source's nodes in their order, or with one that leads to
   * its primary; or a function that is asked for the URL of a node.
   */
  readonly native?: { readonly connection: string | ((node: string) => string | Promise<string>) };
  readonly onProgress?: (progress: Progress) => void;
  readonly onEvent?: (event: FollowEvent) => void;
}

/** What happens on the way. Plain data. */
export type FollowEvent =
  | { readonly type: "copied"; readonly rows: number }
  | { readonly type: "streaming"; readonly node: string; readonly position: string }
  | { readonly type: "interrupted"; readonly reason: string }
  | { readonly type: "reseeded"; readonly reason: string; readonly rows: number; readonly isWhole: boolean }
  | { readonly type: "conflict"; readonly conflict: Conflict };

/** One database that follows another one. */
export interface Following extends AsyncDisposable {
  /** Resolves when it was stopped. Rejects with what has ended it. */
  readonly ended: Promise<void>;
  stats(): FollowStats;
  /** Resolves when the target has everything that the source had at this moment. */
  caughtUp(options?: { readonly timeoutMs?: number; readonly signal?: AbortSignal }): Promise<void>;
  /** Sets the target's sequences, which do not follow by themselves: before the target takes over. Returns how many. */
  setSequences(): Promise<number>;
  /** Ends it. What is being written is rolled back; the source keeps that, and what follows, for the next call. */
  stop(): Promise<void>;
  /** Ends it for good: the source keeps nothing any more, and the target forgets the position. */
  remove(): Promise<void>;
}

const KEYS = [
  "job",
  "begin",
  "onConflict",
  "batchChanges",
  "maxBatchBytes",
  "chunkBytes",
  "attempts",
  "native",
  "onProgress",
  "onEvent",
];

/**
 * Keeps tables of one database equal to those of another: copies them, and from that very view on writes each transaction of the
 * source, whole, in order and exactly once.
 * @returns when it has found out that it can: it goes on by itself
 * @throws {JobError} `REFUSED` with all reasons
 */
export async function follow(options: FollowOptions): Promise<Following> {
  checkOptions(options, KEYS);
  const names = ["connections", "batchChanges", "maxBatchBytes", "chunkBytes", "attempts"] as const;
  const numbers = checkNumbers(options as never, names);
  const job = checkJobName(options.job, "follow");
  const begin = checkChoice("begin", options.begin, ["copy", "replace", "compare"]);
  const onConflict = checkChoice("onConflict", options.onConflict, ["stop", "source-wins"]);
  const connection = checkNative(options.native, begin);
  checkListener("onProgress", options.onProgress);
  checkListener("onEvent", options.onEvent);
  const signal = options.signal ?? new AbortController().signal;
  signal.throwIfAborted();
  const { from, to } = options;
  const bridge = await bridgeOf(from, to, new Set(options.lossy));
  const source = await bridge.source.readPrimary(from, signal);
  const target = await bridge.target.readPrimary(to, signal);
  const { tables, missing } = selectTables(source, options.tables, options.exclude ?? [], bridge.target.state.tables);
  const { pairs, refusals } = pairTables(tables, target, bridge);
  const all: Refusal[] = missing.map((table) => ({ table, reason: "the source has no such table" }));
  all.push(...refusals);
  if (isSame(bridge, source, target)) all.push({ table: "", reason: "source and target are the same database" });
  for (const { source: table } of pairs)
    if (table.key === undefined)
      all.push({ table: nameOf(table), reason: "it has no primary key, so that a change names no row" });
  const hash = createHash("sha256")
    .update(JSON.stringify([job, target.identity]))
    .digest("hex")
    .slice(0, 16);
  const name = `mirrorpool_${hash}`;
  const given = { from, to, bridge, source, target, pairs, name, numbers, signal };
  if (connection !== undefined) return openNative({ ...given, job, begin, options, connection }, all);
  const sides = await openSides(given);
  all.push(...sides.refusals);
  if (all.length > 0) throw refused(`the job ${job} is`, all);
  const { levels } = foreignKeyOrder(
    pairs.map((pair) => pair.target),
    target.foreignKeys,
  );
  const parts = { bridge, source: sides.source, applier: sides.applier };
  return new Follower({ options, numbers, ...parts, job, begin, onConflict, pairs, levels, signal });
}

/** A PostgreSQL database is known by its cluster for ever; the others by where they are. */
const isSame = (bridge: Bridge, source: Catalog, target: Catalog): boolean =>
  bridge.from === bridge.to &&
  (bridge.from === "postgres" ? source.identity === target.identity : source.place === target.place);

/** @throws {OptionsError} */
function checkNative(native: unknown, begin: string): ((node: string) => string | Promise<string>) | undefined {
  if (native === undefined) return undefined;
  const connection = isObject(native) ? native["connection"] : undefined;
  if (typeof connection !== "string" && typeof connection !== "function")
    throw new OptionsError(
      "native.connection",
      "a connection string or a function that returns one",
      `a ${typeof connection}`,
    );
  if (begin === "replace")
    throw new OptionsError(
      "begin",
      '"copy", or "compare" for a target that is equal already, beside native',
      JSON.stringify(begin),
    );
  return typeof connection === "string" ? () => connection : (node) => connection(node) as string | Promise<string>;
}
