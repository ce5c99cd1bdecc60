import { AcquireTimeoutError, QueueFullError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LATE_MS, rejection, settle } from "./support/outcome.ts";
import { openPool, record, underWay } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE seat (id int)");
  await pool.query("CREATE SEQUENCE chair");
});
afterAll(() => cluster?.close());

test("when all connections are held a call ends after acquireMs, and says how many are held", async () => {
  await using pool = openPool(cluster, { pool: { max: 2, warm: 0 }, timeouts: { acquireMs: 300 } });
  await using one = await pool.connect();
  await using other = await pool.connect();
  for (const session of [one, other]) await session.query("BEGIN");
  const calls = await Promise.all([1, 2, 3].map(() => settle(pool.query("INSERT INTO seat VALUES (1)"))));
  for (const { error, ms } of calls) {
    expect(error).toBeInstanceOf(AcquireTimeoutError);
    expect(error).toMatchObject({ code: "ACQUIRE_TIMEOUT", node: "node1", retryable: true });
    expect((error as Error).message).toMatch(/after \d+ ms: 2 in use, [0-2] more callers waiting/);
    expect(ms).toBeLessThan(300 + LATE_MS);
  }
  for (const session of [one, other]) session.release();
  await pool.query("INSERT INTO seat VALUES (1)");
  expect(underWay(pool)).toBe(0);
});

test("a full queue is a clear error, and those in it are served in their order", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0, maxWaiting: 3 } });
  const session = await pool.connect();
  await session.query("BEGIN");
  const order: number[] = [];
  const waiting = [0, 1, 2].map(async (i) => {
    await pool.query("INSERT INTO seat VALUES (2)");
    order.push(i);
  });
  await until("the queue to be full", () => pool.stats().nodes["node1"]?.waiting === 3);
  expect(await rejection(pool.query("INSERT INTO seat VALUES (2)"))).toBeInstanceOf(QueueFullError);
  session.release();
  await Promise.all(waiting);
  expect(order).toEqual([0, 1, 2]);
});

test("the queue for a node is bounded too", async () => {
  await using pool = openPool(cluster, { failover: { maxWaiting: 3 } });
  await pool.start();
  await pool.pause();
  const waiting = [0, 1, 2].map(() => settle(pool.query("INSERT INTO seat VALUES (3)")));
  await until("the queue to be full", () => pool.stats().waitingForNode === 3);
  expect(await rejection(pool.query("INSERT INTO seat VALUES (3)"))).toBeInstanceOf(QueueFullError);
  pool.resume();
  for (const { error } of await Promise.all(waiting)) expect(error).toBeUndefined();
});

test("a caller that gave up leaves its place to the next one", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 } });
  const session = await pool.connect();
  await session.query("BEGIN");
  const impatient = settle(pool.query("INSERT INTO seat VALUES (4)", [], { timeoutMs: 50 }));
  const patient = settle(pool.query("INSERT INTO seat VALUES (5)"));
  expect((await impatient).error).toBeInstanceOf(AcquireTimeoutError);
  session.release();
  expect((await patient).error).toBeUndefined();
});

test("a session lets others have its connection between two statements, and stays on the primary", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 }, routing: { consistency: "eventual" } });
  await using session = await pool.connect();
  await session.query("UPDATE seat SET id = 6 WHERE id = -1");
  expect(underWay(pool)).toBe(1);
  const waiting = pool.query("INSERT INTO seat VALUES (7)");
  await until("it to wait", () => pool.stats().nodes[cluster.primary().name]?.waiting === 1);
  await session.query("UPDATE seat SET id = 8 WHERE id IN (-1, -2)");
  await waiting;
  const where = await session.query("SELECT current_setting('cluster_name') AS name");
  expect(where.rows).toEqual([{ name: cluster.primary().name }]);
});

test("a session keeps its connection from others while it is in a transaction, has set something, or may ask what was generated", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 } });
  const begins = [
    ...["BEGIN", "SET work_mem = '8MB'", "SELECT pg_advisory_lock(1)", "INSERT INTO seat VALUES (9)"],
    ...["UPDATE seat SET id = nextval('chair') WHERE id = -1", "UPDATE seat SET id = DEFAULT WHERE id = -1"],
  ];
  for (const begin of begins) {
    await using session = await pool.connect();
    await session.query("UPDATE seat SET id = 9 WHERE id = -1");
    await session.query(begin);
    const waiting = settle(pool.query("INSERT INTO seat VALUES (10)", [], { timeoutMs: 500 }));
    await until("it to wait", () => pool.stats().nodes[cluster.primary().name]?.waiting === 1);
    await session.query("UPDATE seat SET id = 11 WHERE id = -1");
    expect((await waiting).error, begin).toBeInstanceOf(AcquireTimeoutError);
  }
});

test("a session that is held for too long is reported with the place where it was taken", async () => {
  await using pool = openPool(cluster, { pool: { leakMs: 100 } });
  const events = record(pool);
  async function forgetful(): Promise<void> {
    const session = await pool.connect();
    await session.query("SELECT 1");
  }
  const proper = await pool.connect();
  proper.release();
  await forgetful();
  await until("the report", () => events.some(({ name }) => name === "leak-suspected"));
  expect(events.filter(({ name }) => name === "leak-suspected")).toEqual([
    { name: "leak-suspected", heldMs: 100, stack: expect.stringContaining("forgetful") },
  ]);
});
