import type { FailoverPool, PoolOptions } from "@mirrorpool/core";
import { CommitUnknownError, NotMirroredError, TransactionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { countRows, mend, promoteMirror } from "../failover/support/cluster.ts";
import { rejection, settle } from "../failover/support/outcome.ts";
import { openPool } from "../failover/support/pool.ts";
import { until } from "../failover/support/until.ts";
import { makeLedger } from "./support.ts";

let cluster: LabCluster;

const open = (options: Partial<PoolOptions> = {}): FailoverPool =>
  openPool(cluster, { durability: "mirrored", ...options });

async function replicate(isOn: boolean): Promise<void> {
  for (const mirror of cluster.mirrors()) await mirror.replicate(isOn);
}

async function writeId(pool: FailoverPool, id: number): Promise<void> {
  await pool.query("INSERT INTO entry VALUES ($1)", [id]);
}

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 2 });
  await makeLedger(cluster);
});
beforeEach(async () => {
  await using pool = openPool(cluster);
  await pool.query("DROP TABLE IF EXISTS entry");
  await pool.query("CREATE TABLE entry (id int)");
  await cluster.caughtUp();
});
afterEach(async () => {
  for (const mirror of cluster.mirrors()) if (mirror.isRunning) await mirror.replicate(true);
  await mend(cluster);
});
afterAll(() => cluster?.close());

test("a write waits until a mirror has it, without a connection, and nothing else waits", async () => {
  await using pool = open();
  await writeId(pool, 1);
  await replicate(false);
  let isDone = false;
  const write = writeId(pool, 2).then(() => {
    isDone = true;
  });
  const transaction = pool.transaction(async (tx) => void (await tx.query("INSERT INTO entry VALUES (3)")));
  await until("both to be committed", async () => (await countRows(cluster.primary(), "entry")) === 3);
  await until("their connections to be free", () => pool.stats().nodes[cluster.primary().name]?.inUse === 0);
  // reads, and transactions that only read, are answered: they see what is committed
  expect((await pool.query("SELECT count(*)::int FROM entry")).rows).toEqual([{ count: 3 }]);
  await pool.transaction(async (tx) => void (await tx.query("SELECT 1")));
  await using session = await pool.connect();
  await session.query("SET work_mem = '8MB'");
  expect(isDone).toBe(false);
  await replicate(true);
  await Promise.all([write, transaction]);
  expect(pool.stats()).toMatchObject({ notMirrored: 0 });
});

test("a session that waits for a mirror still reads what it has written, with what it has set", async () => {
  await using pool = open();
  await using session = await pool.connect();
  await session.query("CREATE SCHEMA IF NOT EXISTS aside");
  await session.query("SET search_path = aside");
  await session.query("CREATE TABLE IF NOT EXISTS entry (id int)");
  await session.query("INSERT INTO entry VALUES (1)");
  await replicate(false);
  const write = settle(session.query("INSERT INTO entry VALUES (2)"));
  const { rows } = await session.query("SELECT count(*)::int FROM entry", [], { consistency: "eventual" });
  expect(rows).toEqual([{ count: 2 }]);
  await replicate(true);
  expect((await write).error).toBeUndefined();
});

test.each([
  ["its own deadline", {}, () => ({ timeoutMs: 1500 }), undefined],
  ["timeouts.mirrorMs", { timeouts: { mirrorMs: 500 } }, () => ({}), undefined],
  ["its signal", {}, () => ({ signal: AbortSignal.timeout(1500) }), { code: "ABORTED" }],
])("a write that no mirror has in time ends by %s, and says that it is committed", async (_, options, call, cause) => {
  await using pool = open(options);
  await pool.start();
  await replicate(false);
  const error = await rejection(pool.query("INSERT INTO entry VALUES (1)", [], call()));
  expect(error).toBeInstanceOf(NotMirroredError);
  expect(error).toMatchObject({ code: "NOT_MIRRORED", node: cluster.primary().name, retryable: false });
  expect((error as NotMirroredError).cause).toEqual(cause === undefined ? undefined : expect.objectContaining(cause));
  expect(await countRows(cluster.primary(), "entry")).toBe(1);
  expect(pool.stats()).toMatchObject({ notMirrored: 1, commitUnknown: 0 });
});

test("a pool that is closed lets a write wait for its mirror, and ends the wait at last", async () => {
  const pool = open();
  await pool.start();
  await replicate(false);
  const write = settle(writeId(pool, 1));
  await until("it to be committed", async () => (await countRows(cluster.primary(), "entry")) === 1);
  await pool.close({ timeoutMs: 300 });
  expect((await write).error).toBeInstanceOf(NotMirroredError);
});

test("a write that was committed on a primary that is lost meanwhile is unknown without a ledger", async () => {
  await using pool = open();
  await pool.start();
  await replicate(false);
  const write = settle(writeId(pool, 1));
  await until("it to be committed", async () => (await countRows(cluster.primary(), "entry")) === 1);
  await cluster.primary().kill();
  await promoteMirror(cluster);
  expect((await write).error).toBeInstanceOf(CommitUnknownError);
  expect(pool.stats()).toMatchObject({ commitUnknown: 1, ackedWritesLost: 0 });
});

test("the same with a ledger is certainly lost, safe to run again, and runs again with retries", async () => {
  await using pool = open({ exactlyOnce: true, replay: {} });
  await pool.start();
  await replicate(false);
  const former = cluster.primary();
  const write = settle(writeId(pool, 1));
  const transaction = pool.transaction(async (tx) => void (await tx.query("INSERT INTO entry VALUES (2)")), {
    retries: 1,
  });
  await until("both to be committed", async () => (await countRows(former, "entry")) === 2);
  await former.kill();
  await promoteMirror(cluster);
  const { error } = await write;
  expect(error).toBeInstanceOf(TransactionLostError);
  expect(error).toMatchObject({ retryable: true });
  await transaction;
  const rows = await cluster.primary().query("SELECT id FROM entry");
  expect(rows).toEqual([{ id: 2 }]);
});

test("a write that a mirror received before it was promoted is acknowledged on the new primary", async () => {
  await using pool = open({ exactlyOnce: true, replay: {} });
  await pool.start();
  for (const mirror of cluster.mirrors()) await mirror.lag(true); // received, but not replayed
  const former = cluster.primary();
  const write = writeId(pool, 1);
  await until("it to be committed", async () => (await countRows(former, "entry")) === 1);
  await until("it to be received", async () => {
    const [{ position } = { position: "" }] = await former.query<{ position: string }>(
      "SELECT pg_current_wal_lsn()::text AS position",
    );
    for (const mirror of cluster.mirrors()) {
      const [row] = await mirror.query<{ has: boolean }>("SELECT pg_last_wal_receive_lsn() >= $1::pg_lsn AS has", [
        position,
      ]);
      if (row?.has !== true) return false;
    }
    return true;
  });
  await former.kill();
  for (const mirror of cluster.mirrors()) await mirror.lag(false);
  await promoteMirror(cluster);
  await write;
  expect(await countRows(cluster.primary(), "entry")).toBe(1);
});

test("where the server itself waits for its mirrors the pool does not, and follows when that is changed", async () => {
  await using pool = open();
  const primary = cluster.primary();
  await pool.start();
  const reload = async (names: string): Promise<void> => {
    await primary.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
    await primary.query("SELECT pg_reload_conf()");
    const isOn = names !== "";
    await until("the server to follow", async () => {
      const [row] = await primary.query<{ names: string }>(
        "SELECT current_setting('synchronous_standby_names') AS names",
      );
      return (row?.names !== "") === isOn;
    });
  };
  // the mirrors flush what they do not replay: the server is content with that, the pool by itself would not be
  for (const mirror of cluster.mirrors()) await mirror.lag(true);
  try {
    await reload("ANY 1 (*)");
    await until("the pool to know", async () => {
      const { error } = await settle(pool.query("INSERT INTO entry VALUES (1)", [], { timeoutMs: 300 }));
      return error === undefined;
    });
    await reload("");
    await until("the pool to know", async () => {
      const { error } = await settle(pool.query("INSERT INTO entry VALUES (1)", [], { timeoutMs: 300 }));
      return error instanceof NotMirroredError;
    });
  } finally {
    await reload("");
  }
});

test.each([
  ["mirrored", "loses nothing"],
  ["primary", "loses what the mirrors did not have, and the report says how much"],
] as const)(
  "with durability %s a primary that is killed under load %s",
  async (durability, _) => {
    let reported = 0;
    let missing = 0;
    for (let round = 0; round < 3; round += 1) {
      await using pool = openPool(cluster, { durability, exactlyOnce: true, replay: {}, pool: { max: 5 } });
      await pool.start();
      const told = await loadUntilKilled(pool, round);
      await until("the pool to follow", () => pool.topology().primary === cluster.primary().name);
      const kept = await cluster.primary().query<{ id: number }>("SELECT id FROM entry");
      const ids = new Set(kept.map(({ id }) => id));
      const lost = told.filter((id) => !ids.has(id));
      missing += lost.length;
      if (lost.length > 0) await until("the report", () => pool.stats().ackedWritesLost > 0);
      reported += pool.stats().ackedWritesLost;
      expect(pool.stats().ackedWritesLost).toBe(lost.length);
      await pool.close();
      await mend(cluster);
    }
    expect(reported).toBe(missing);
    if (durability === "mirrored") expect(missing).toBe(0);
    else expect(missing).toBeGreaterThan(0);
  },
  120_000,
);

/** Writers go on until the primary is killed; the mirrors were cut off shortly before. Returns what they were told. */
async function loadUntilKilled(pool: FailoverPool, round: number): Promise<number[]> {
  const told: number[] = [];
  let isOver = false;
  let next = round * 1_000_000;
  const writer = async (): Promise<void> => {
    while (!isOver) {
      next += 1;
      const id = next;
      const { error } = await settle(pool.query("INSERT INTO entry VALUES ($1)", [id], { timeoutMs: 20_000 }));
      if (error === undefined) told.push(id);
      else expect(error).toBeInstanceOf(TransactionLostError);
    }
  };
  const writers = Array.from({ length: 8 }, writer);
  await until("some writes", () => told.length >= 50);
  const former = cluster.primary();
  const before = await countRows(former, "entry");
  await replicate(false);
  await until("writes that no mirror has", async () => (await countRows(former, "entry")) > before + 3);
  await former.kill();
  isOver = true;
  await promoteMirror(cluster);
  await Promise.all(writers);
  return told;
}
