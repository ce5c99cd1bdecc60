import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { View } from "../dialect.ts";
import { refused } from "../errors.ts";
import { numberOf, ViewLost } from "../faults.ts";
import type { Table } from "../model.ts";
import { PATIENT } from "../querier.ts";
import { ask } from "./ask.ts";
import { quoteTable } from "./quote.ts";
import { type Flavor, readerSettings } from "./settings.ts";
import { gtidsAt, readViewPlace, type ViewPlace } from "./view-place.ts";

const BEGIN = "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY";
/** Beyond these the names would not fit into a statement. */
const MAX_LOCKS = 1000;

/**
 * One view of the source's data for a number of connections, all to the same node and all begun at the same moment. Nobody else can
 * take it over later: who is lost leaves the others with less, and the last one ends it.
 */
export class Snapshot implements View {
  readonly node: string;
  readonly holder: ReservedConnection;
  /** All transactions that it sees, where that was asked for. */
  readonly gtids: string;
  readonly #free: ReservedConnection[];
  readonly #all: readonly ReservedConnection[];

  /** @param readers none: the one that rests reads as well */
  private constructor(holder: ReservedConnection, readers: readonly ReservedConnection[], gtids = "") {
    this.gtids = gtids;
    this.holder = holder;
    this.node = holder.node;
    this.#free = readers.length === 0 ? [holder] : [...readers];
    this.#all = [holder, ...readers];
  }

  /** @param on where to look; a mirror spares the primary */
  static open(
    pool: FailoverPool,
    on: "primary" | "mirror",
    connections: number,
    flavor: Flavor,
    signal: AbortSignal,
  ): Promise<Snapshot> {
    return Snapshot.#open({ pool, on, connections, flavor, signal }, false);
  }

  /** The same on the primary, which tells what is in it: from there on its binary log goes on. */
  static openWithPosition(
    pool: FailoverPool,
    connections: number,
    flavor: Flavor,
    signal: AbortSignal,
  ): Promise<Snapshot> {
    return Snapshot.#open({ pool, on: "primary", connections, flavor, signal }, true);
  }

  static async #open(
    {
      pool,
      on,
      connections,
      flavor,
      signal,
    }: {
      readonly pool: FailoverPool;
      readonly on: "primary" | "mirror";
      readonly connections: number;
      readonly flavor: Flavor;
      readonly signal: AbortSignal;
    },
    isPlaced: boolean,
  ): Promise<Snapshot> {
    const holder = await pool.reserve({ on, signal });
    const readers: ReservedConnection[] = [];
    try {
      // a single one need not agree with any other
      for (let count = 0; count < connections && connections > 1; count += 1)
        readers.push(await pool.reserve({ on: { node: holder.node }, signal }));
      const all = [holder, ...readers];
      for (const each of all) {
        await each.query("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", undefined, { signal });
        await each.query(readerSettings(flavor), undefined, { signal });
      }
      return new Snapshot(holder, readers, await beginTogether(pool, all, flavor, isPlaced, signal));
    } catch (error) {
      for (const each of [holder, ...readers]) each.release();
      throw error;
    }
  }

  get isAlive(): boolean {
    return this.holder.isOpen;
  }

  async reader(): Promise<ReservedConnection> {
    for (;;) {
      const reader = this.#free.pop();
      if (reader === undefined) throw new ViewLost(undefined);
      if (reader.isOpen) return reader;
    }
  }

  /** A statement that reads nothing of a table keeps its definition until the transaction ends. */
  async lock(tables: readonly Table[], signal: AbortSignal): Promise<void> {
    if (tables.length > MAX_LOCKS) return;
    for (const table of tables)
      await this.holder.query(`SELECT 1 FROM ${quoteTable(table)} LIMIT 0`, undefined, { ...PATIENT, signal });
  }

  close(): void {
    for (const each of this.#all) each.release();
  }
}

/** How often connections are begun anew until they agree, on a server that is written to all the time. */
const TRIES = 50;
const REST_MS = 5;

/**
 * Begins all transactions so that they see the same: without a lock where the server tells for each one how far it sees, else while
 * nobody can commit, as mildly as its rights allow.
 * @param isPlaced it has to be known what they see
 * @returns all transactions that they see, where that has to be known
 * @throws {JobError} `REFUSED` where neither can be had
 */
async function beginTogether(
  pool: FailoverPool,
  all: readonly ReservedConnection[],
  flavor: Flavor,
  isPlaced: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [first] = all as readonly [ReservedConnection];
  const tells = flavor === "mariadb";
  const gtidsOf = async (place: ViewPlace | undefined): Promise<string> => {
    const gtids = place === undefined ? undefined : await gtidsAt(first, place);
    if (gtids === undefined) throw new ViewLost(new Error("the binary log does not know the place of the view"));
    return gtids;
  };
  if (all.length === 1 && (tells || !isPlaced)) {
    await beginAll(all, signal);
    return isPlaced ? gtidsOf(await readViewPlace(first)) : undefined;
  }
  const agreed = (await canAgree(first, flavor)) ? await beginAgreeing(all, signal) : undefined;
  if (agreed !== undefined) return isPlaced ? gtidsOf(agreed) : undefined;
  for (const way of BLOCKING[flavor]) {
    const gtids = await beginBlocked(pool, first.node, all, way, flavor, signal);
    if (gtids !== undefined) return isPlaced && tells ? gtidsOf(await readViewPlace(first)) : gtids;
  }
  const reason =
    "its server lets several connections have the same view only with the right to lock: GRANT LOCK TABLES (or RELOAD), or say connections: 1";
  throw refused("the job is", [{ table: "", reason }]);
}

async function beginAll(all: readonly ReservedConnection[], signal: AbortSignal): Promise<void> {
  await Promise.all(all.map((each) => each.query(BEGIN, undefined, { signal })));
}

/** A mirror that does not log what it replays would always tell the same. */
async function canAgree(on: ReservedConnection, flavor: Flavor): Promise<boolean> {
  if (flavor !== "mariadb") return false;
  const [row] = await ask<{ logs: string }>(on, "SELECT @@log_bin AND @@log_slave_updates AS logs");
  return row?.logs === "1";
}

/** MariaDB tells each snapshot's place in the binary log. @returns the one that they all have; undefined where they came to none */
async function beginAgreeing(all: readonly ReservedConnection[], signal: AbortSignal): Promise<ViewPlace | undefined> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    await beginAll(all, signal);
    const place = await commonPlace(all);
    if (place !== undefined) return place;
    await Promise.all(all.map((each) => each.query("ROLLBACK", undefined, { signal })));
    await sleep(REST_MS, undefined, { signal });
  }
  return undefined;
}

/** Undefined where they do not stand at the same one. */
async function commonPlace([first, ...others]: readonly ReservedConnection[]): Promise<ViewPlace | undefined> {
  const place = first === undefined ? undefined : await readViewPlace(first);
  if (place === undefined) return undefined;
  for (const each of others) {
    const other = await readViewPlace(each);
    if (other?.file !== place.file || other.offset !== place.offset) return undefined;
  }
  return place;
}

/** Statements that keep all others from committing, and the one that lets them go on. */
interface Blocking {
  readonly block: (tables: readonly string[]) => readonly string[];
  readonly free: string;
}

const FLUSH: Blocking = { block: () => ["FLUSH TABLES WITH READ LOCK"], free: "UNLOCK TABLES" };
const LOCK: Blocking = {
  block: (tables) =>
    tables.length === 0 ? [] : [`LOCK TABLES ${tables.map((name) => `${quoteTable({ name })} READ`).join(", ")}`],
  free: "UNLOCK TABLES",
};
const STAGE: Blocking = {
  block: () => ["BACKUP STAGE START", "BACKUP STAGE BLOCK_COMMIT"],
  free: "BACKUP STAGE END",
};

const BLOCKING: Readonly<Record<Flavor, readonly Blocking[]>> = { mariadb: [STAGE, FLUSH, LOCK], mysql: [FLUSH, LOCK] };

/** No right to do so, or somebody holds what is to be locked: a milder or a wider lock may do. */
const NOT_HAD: ReadonlySet<number> = new Set([1044, 1045, 1142, 1205, 1227, 1290, 3572]);

/** @returns all that the server has executed meanwhile; undefined where this way is not open */
async function beginBlocked(
  pool: FailoverPool,
  node: string,
  all: readonly ReservedConnection[],
  { block, free }: Blocking,
  flavor: Flavor,
  signal: AbortSignal,
): Promise<string | undefined> {
  const blocker = await pool.reserve({ on: { node }, signal });
  try {
    const sql =
      "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'";
    const tables = await ask<{ name: string }>(blocker, sql, [], signal);
    // behind a long statement everybody else would have to wait for it too
    await blocker.query("SET SESSION lock_wait_timeout = 2", undefined, { signal });
    for (const text of block(tables.map(({ name }) => name))) await blocker.query(text, undefined, { signal });
    const text = flavor === "mysql" ? "SELECT @@global.gtid_executed AS gtids" : "SELECT '' AS gtids";
    const [executed] = await ask<{ gtids: string }>(blocker, text, [], signal);
    await beginAll(all, signal);
    await blocker.query(free, undefined, { signal });
    return (executed?.gtids ?? "").replaceAll(/\s/g, "");
  } catch (error) {
    if (NOT_HAD.has(numberOf(error) ?? 0)) return undefined;
    throw error;
  } finally {
    blocker.release(); // and with it whatever it has locked
  }
}
