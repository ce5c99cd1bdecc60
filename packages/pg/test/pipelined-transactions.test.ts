import { Socket } from "node:net";
import { createPool, type FailoverPool, type PoolOptions, type PoolSession } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { Client, postgres } from "@mirrorpool/pg";
import Cursor from "pg-cursor";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { rejection } from "./server.ts";

let cluster: LabCluster;
let pool: FailoverPool;
let roundTrips = 0;

/** The first byte of a message, and its length, which counts itself. */
const HEADER_BYTES = 5;
const READY_FOR_QUERY = "Z".charCodeAt(0);

const COMMAND_COMPLETE = "C".charCodeAt(0);
/** Its command tag marks the connection of the pool. */
const WARM_UP = "NOTIFY";

/**
 * A socket that counts how often the server says that it is ready: once for each time that it was waited for. Counts from the
 * first time on that it is used by the pool, and so nothing of the monitor's.
 */
class CountingSocket extends Socket {
  #isCounted = false;
  #rest = Buffer.alloc(0);

  constructor() {
    super();
    this.on("data", (data) => this.#read(data));
  }

  #read(data: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, data]);
    while (this.#rest.length >= HEADER_BYTES && this.#rest.length > this.#rest.readUInt32BE(1)) {
      const message = this.#rest.subarray(0, 1 + this.#rest.readUInt32BE(1));
      if (this.#isCounted && message[0] === READY_FOR_QUERY) roundTrips += 1;
      if (message[0] === COMMAND_COMPLETE && message.includes(WARM_UP)) this.#isCounted = true;
      this.#rest = this.#rest.subarray(message.length);
    }
  }
}

function open(options: Partial<PoolOptions> = {}): FailoverPool {
  return createPool({
    driver: postgres({ stream: () => new CountingSocket() }),
    nodes: cluster.urls,
    monitor: { intervalMs: 60_000 },
    replay: { maxStatements: 0 },
    ...options,
  });
}

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  await using first = open();
  await first.query("CREATE TABLE thing (id int PRIMARY KEY, name text)");
  await first.query(first.ledgerSchema());
});
afterAll(() => cluster?.close());
beforeEach(async () => {
  pool = open();
  await pool.query("TRUNCATE thing");
  await pool.query(`${WARM_UP} somebody`);
  return () => pool.close();
});

async function count(work: () => Promise<unknown>): Promise<number> {
  const before = roundTrips;
  await work();
  return roundTrips - before;
}

const INSERT = "INSERT INTO thing VALUES ($1, 'a')";
const ids = async (): Promise<number[]> =>
  (await cluster.primary().query<{ id: number }>("SELECT id FROM thing ORDER BY id")).map(({ id }) => id);

async function byHand(begin: string, texts: readonly string[], end = "COMMIT"): Promise<void> {
  await using session = await pool.connect();
  await session.query(begin);
  for (const text of texts) await session.query(text);
  await session.query(end);
}

describe("round trips", () => {
  const three = async (given: FailoverPool): Promise<void> => {
    await given.transaction(async (tx) => {
      for (const id of [1, 2, 3]) await tx.query(INSERT, [id]);
    });
  };

  test("a transaction of three statements costs four", async () => {
    expect(await count(() => three(pool))).toBe(4);
    expect(await ids()).toEqual([1, 2, 3]);
  });

  test("so it does with the commit ledger, whose token goes with the COMMIT", async () => {
    await using exact = open({ exactlyOnce: true });
    await exact.query(`${WARM_UP} somebody`);
    expect(await count(() => three(exact))).toBe(4);
    expect(await ids()).toEqual([1, 2, 3]);
  });

  test("so it does in the drop-in", async () => {
    const client = new Client({ mirrorpool: pool });
    await client.connect();
    const run = async (): Promise<void> => {
      await client.query("BEGIN");
      for (const id of [1, 2, 3]) await client.query(INSERT, [id]);
      await client.query("COMMIT");
    };
    expect(await count(run)).toBe(4);
    await client.end();
  });

  test.each([
    ["BEGIN", [], "COMMIT", 0],
    ["START TRANSACTION ISOLATION LEVEL SERIALIZABLE", [], "ROLLBACK", 0],
    ["begin;", ["SELECT 1"], "commit;", 2],
    ["BEGIN", ["SAVEPOINT a", "SELECT 1"], "ROLLBACK", 3],
    ["BEGIN", ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SELECT 1"], "COMMIT", 3],
    ["BEGIN", ["SET LOCAL lock_timeout = 5"], "COMMIT", 2],
    // what is no single statement, or ends what was begun, is sent after the BEGIN
    ["BEGIN", ["SELECT 1; SELECT 2"], "COMMIT", 3],
    ["BEGIN", ["COMMIT AND CHAIN"], "COMMIT", 3],
    ["BEGIN", ["BEGIN"], "COMMIT", 3],
  ])("%s, %j and %s cost %i", async (begin, texts, end, expected) => {
    expect(await count(() => byHand(begin, texts, end))).toBe(expected);
  });
});

describe("the transaction is what the application has asked for", () => {
  const modes =
    "SELECT current_setting('transaction_isolation') AS isolation, current_setting('transaction_read_only') AS ro, current_setting('transaction_deferrable') AS deferred";

  test.each([
    ["BEGIN", "read committed", "off", "off"],
    ["START TRANSACTION READ ONLY", "read committed", "on", "off"],
    ["BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY, DEFERRABLE", "serializable", "on", "on"],
    ["begin isolation level repeatable read /* why */ ;", "repeatable read", "off", "off"],
  ])("%s", async (begin, isolation, ro, deferred) => {
    await using session = await pool.connect();
    expect(await session.query(begin)).toMatchObject({ command: begin.startsWith("START") ? "START" : "BEGIN" });
    expect((await session.query(modes)).rows).toEqual([{ isolation, ro, deferred }]);
    await session.query("COMMIT");
  });

  test("it begins with its first statement, and until then nothing is open on the server", async () => {
    await using session = await pool.connect();
    await session.query("BEGIN");
    expect(session.transactionStatus).toBe("open");
    const idle = "SELECT count(*)::int FROM pg_stat_activity WHERE state = 'idle in transaction'";
    expect(await cluster.primary().query(idle)).toEqual([{ count: 0 }]);
    const [clock] = await cluster.primary().query<{ now: Date }>("SELECT clock_timestamp() AS now");
    const { rows } = await session.query<{ now: Date }>("SELECT now()");
    expect(rows[0]?.now.getTime()).toBeGreaterThanOrEqual(clock?.now.getTime() ?? Number.NaN);
    expect(await cluster.primary().query(idle)).toEqual([{ count: 1 }]);
    await session.query("ROLLBACK");
    expect(session.transactionStatus).toBe("none");
  });

  test("a read as its first statement is answered by the primary, and a lock that it takes is held", async () => {
    await pool.query(INSERT, [1]);
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("SELECT id FROM thing FOR UPDATE");
    expect(await rejection(pool.query("SELECT id FROM thing FOR UPDATE NOWAIT"))).toMatchObject({ code: "55P03" });
    await session.query("COMMIT");
  });

  test.each([
    ["a definition", "CREATE TABLE other (id int)"],
    ["an anonymous block", "DO $$ BEGIN INSERT INTO thing VALUES (9); END $$"],
    ["no statement at all", "  -- nothing"],
    ["a setting", "SET search_path = public"],
    ["a query for the catalogue", "SHOW search_path"],
    ["a notification", "NOTIFY somebody"],
    ["a lock", "LOCK TABLE thing"],
    ["EXPLAIN", "EXPLAIN SELECT * FROM thing"],
  ])("%s may come first", async (_, text) => {
    await using session = await pool.connect();
    await session.query("BEGIN");
    const first = await session.query(text);
    expect(session.transactionStatus).toBe("open");
    await session.query("ROLLBACK");
    await session.query("BEGIN; SELECT 1");
    const usual = await session.query(text);
    expect([first.command, first.rowCount, first.rows]).toEqual([usual.command, usual.rowCount, usual.rows]);
    await session.query("ROLLBACK");
  });

  test("a cursor may come first", async () => {
    await pool.query("INSERT INTO thing SELECT generate_series(1, 10)");
    const client = new Client({ mirrorpool: pool });
    await client.connect();
    await client.query("BEGIN");
    const cursor = client.query(new Cursor("SELECT id FROM thing ORDER BY id"));
    expect(await cursor.read(3)).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
    await cursor.close();
    await client.query("DELETE FROM thing");
    await client.query("ROLLBACK");
    expect((await ids()).length).toBe(10);
    await client.end();
  });

  test("prepared statements are used in the flush of the BEGIN as well", async () => {
    for (let id = 1; id <= 10; id += 1) {
      await pool.transaction(async (tx) => {
        await tx.query(INSERT, [id]);
        const names = await tx.query<{ name: string }>("SELECT name FROM pg_prepared_statements WHERE statement = $1", [
          INSERT,
        ]);
        if (id > 6) expect(names.rows.length).toBe(1);
      });
    }
    expect((await ids()).length).toBe(10);
  });
});

describe("a mistake", () => {
  const failed = async (session: PoolSession): Promise<void> => {
    expect(session.transactionStatus).toBe("failed");
    expect(await rejection(session.query("SELECT 1"))).toMatchObject({ code: "25P02" });
    expect(await session.query("COMMIT")).toMatchObject({ command: "ROLLBACK" });
    expect(session.transactionStatus).toBe("none");
    expect((await session.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  };

  test("in BEGIN itself is told by BEGIN", async () => {
    await using session = await pool.connect();
    expect(await rejection(session.query("BEGIN ISOLATION LEVEL SERIALISABLE"))).toMatchObject({ code: "42601" });
    expect(session.transactionStatus).toBe("none");
  });

  test.each([
    ["of syntax", "SELEKT 1", "42601"],
    ["of a value", "SELECT 1 / 0", "22012"],
    ["that the server sees at once", "VACUUM", "25001"],
  ])("%s in the first statement leaves the transaction failed, until it is rolled back", async (_, text, code) => {
    await using session = await pool.connect();
    await session.query("BEGIN");
    expect(await rejection(session.query(text))).toMatchObject({ code });
    await failed(session);
  });

  test("in the first statement costs no connection", async () => {
    for (let index = 0; index < 5; index += 1) {
      const mistake = pool.transaction((tx) => tx.query("SELECT 1 / 0"));
      expect(await rejection(mistake)).toMatchObject({ code: "22012" });
    }
    const closed = Object.values(pool.stats().nodes).reduce((sum, node) => sum + node.closed, 0);
    expect(closed).toBe(0);
  });

  test("after a savepoint that came first is undone with it", async () => {
    await using session = await pool.connect();
    await session.query("BEGIN");
    await session.query("SAVEPOINT a");
    await rejection(session.query("SELECT 1 / 0"));
    await session.query("ROLLBACK TO a");
    await session.query(INSERT, [5]);
    expect(await session.query("COMMIT")).toMatchObject({ command: "COMMIT" });
    expect(await ids()).toEqual([5]);
  });
});

describe("what was set", () => {
  test("before a transaction, and in its first statement, is there in it; the second is undone with it", async () => {
    await using session = await pool.connect();
    const name = async (): Promise<unknown> => (await session.query("SHOW application_name")).rows[0];
    await session.query("SET application_name = 'one'");
    await session.query("BEGIN");
    await session.query("SET application_name = 'two'");
    expect(await name()).toEqual({ application_name: "two" });
    await session.query("ROLLBACK");
    expect(await name()).toEqual({ application_name: "one" });
    await session.query("BEGIN");
    expect(await name()).toEqual({ application_name: "one" });
    await session.query("COMMIT");
  });

  test("ties a session to its connection, and its transactions with it", async () => {
    await using session = await pool.connect();
    await session.query("LISTEN somebody");
    const pid = async (): Promise<unknown> => (await session.query("SELECT pg_backend_pid()")).rows;
    const before = await pid();
    await session.query("BEGIN");
    expect(await pid()).toEqual(before);
    await session.query("COMMIT");
    expect(await pid()).toEqual(before);
  });
});
