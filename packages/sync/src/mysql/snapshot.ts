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
  readonly #free: ReservedConnection[];
  readonly #all: readonly ReservedConnection[];

  /** @param readers none: the one that rests reads as well */
  private constructor(holder: ReservedConnection, readers: readonly ReservedConnection[]) {
    this.holder = holder;
    this.node = holder.node;
    this.#free = readers.length === 0 ? [holder] : [...readers];
    this.#all = [holder, ...readers];
  }

  /** @param on where to look; a mirror spares the primary */
  static async open(
    pool: FailoverPool,
    on: "primary" | "mirror",
    connections: number,
    flavor: Flavor,
    signal: AbortSignal,
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
      await beginTogether(pool, all, flavor, signal);
      return new Snapshot(holder, readers);
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
 * @throws {JobError} `REFUSED` where neither can be had
 */
async function beginTogether(
  pool: FailoverPool,
  all: readonly ReservedConnection[],
  flavor: Flavor,
  signal: AbortSignal,
): Promise<void> {
  if (all.length === 1) return beginAll(all, signal);
  if ((await canAgree(all[0], flavor)) && (await beginAgreeing(all, signal))) return;
  const node = all[0]?.node ?? "";
  for (const way of BLOCKING[flavor]) if (await beginBlocked(pool, node, all, way, signal)) return;
  const reason =
    "its server lets several connections have the same view only with the right to lock: GRANT LOCK TABLES (or RELOAD), or say connections: 1";
  throw refused("the job is", [{ table: "", reason }]);
}

async function beginAll(all: readonly ReservedConnection[], signal: AbortSignal): Promise<void> {
  await Promise.all(all.map((each) => each.query(BEGIN, undefined, { signal })));
}

/** A mirror that does not log what it replays would always tell the same. */
async function canAgree(on: ReservedConnection | undefined, flavor: Flavor): Promise<boolean> {
  if (on === undefined || flavor !== "mariadb") return false;
  const [row] = await ask<{ logs: string }>(on, "SELECT @@log_bin AND @@log_slave_updates AS logs");
  return row?.logs === "1";
}

/** MariaDB tells each snapshot's place in the binary log. */
async function beginAgreeing(all: readonly ReservedConnection[], signal: AbortSignal): Promise<boolean> {
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    await beginAll(all, signal);
    const places = await Promise.all(all.map(placeOf));
    if (new Set(places).size === 1) return true;
    await Promise.all(all.map((each) => each.query("ROLLBACK", undefined, { signal })));
    await sleep(REST_MS, undefined, { signal });
  }
  return false;
}

async function placeOf(on: ReservedConnection): Promise<string> {
  const rows = await ask<{ Value: string }>(on, "SHOW SESSION STATUS LIKE 'binlog_snapshot_%'");
  return JSON.stringify(rows.map(({ Value }) => Value));
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

async function beginBlocked(
  pool: FailoverPool,
  node: string,
  all: readonly ReservedConnection[],
  { block, free }: Blocking,
  signal: AbortSignal,
): Promise<boolean> {
  const blocker = await pool.reserve({ on: { node }, signal });
  try {
    const sql =
      "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'";
    const tables = await ask<{ name: string }>(blocker, sql, [], signal);
    // behind a long statement everybody else would have to wait for it too
    await blocker.query("SET SESSION lock_wait_timeout = 2", undefined, { signal });
    for (const text of block(tables.map(({ name }) => name))) await blocker.query(text, undefined, { signal });
    await beginAll(all, signal);
    await blocker.query(free, undefined, { signal });
    return true;
  } catch (error) {
    if (NOT_HAD.has(numberOf(error) ?? 0)) return false;
    throw error;
  } finally {
    blocker.release(); // and with it whatever it has locked
  }
}
