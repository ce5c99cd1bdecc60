import { AbortedError, DeadlineError, OptionsError, PoolClosedError, ReservedLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { submit } from "@mirrorpool/pg";
import Cursor from "pg-cursor";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { mend, running } from "./support/cluster.ts";
import { rejection } from "./support/outcome.ts";
import { openPool } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

test("a reserved connection leads to a mirror, several of them to the same one, and hold a transaction there", async () => {
  await using pool = openPool(cluster, { pool: { max: 1 } });
  await using one = await pool.reserve({ on: "mirror" });
  await using other = await pool.reserve({ on: { node: one.node } });
  await using third = await pool.reserve({ on: { node: one.node } });
  expect(cluster.mirrors().map(({ name }) => name)).toContain(one.node);
  expect([other.node, third.node]).toEqual([one.node, one.node]);
  await one.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  const { rows } = await one.query<{ name: string }>("SELECT pg_export_snapshot() AS name");
  await other.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '${rows[0]?.name}'`);
  expect((await other.query("SELECT pg_is_in_recovery() AS is")).rows).toEqual([{ is: true }]);
});

test("without a mirror the primary will do, and further settings reach the login", async () => {
  await using pool = openPool(cluster);
  for (const mirror of cluster.mirrors()) await mirror.kill();
  await pool.start();
  await until("the mirrors to be down", () =>
    pool.topology().nodes.every((node) => node.status === (node.id === pool.topology().primary ? "up" : "down")),
  );
  await using reserved = await pool.reserve({ on: "mirror", parameters: { options: "-c work_mem=77kB" } });
  expect(reserved.node).toBe(cluster.primary().name);
  expect((await reserved.query("SHOW work_mem")).rows).toEqual([{ work_mem: "77kB" }]);
});

test("it is cut off with its node, and the next one leads to the new primary", async () => {
  await using pool = openPool(cluster);
  const reserved = await pool.reserve();
  await cluster.primary().freeze();
  const sleeping = reserved.query("SELECT pg_sleep(60)", [], { timeoutMs: 60_000 });
  await expect(sleeping).rejects.toBeInstanceOf(ReservedLostError);
  expect(reserved.isOpen).toBe(false);
  const promoted = await cluster.mostAdvancedMirror();
  await cluster.promote(promoted);
  await using next = await pool.reserve();
  expect(next.node).toBe(promoted.name);
});

test("deadlines and signals end a statement and leave the connection", async () => {
  await using pool = openPool(cluster);
  await using reserved = await pool.reserve();
  await expect(reserved.query("SELECT pg_sleep(60)", [], { timeoutMs: 100 })).rejects.toMatchObject({
    code: "DEADLINE",
  });
  const signal = AbortSignal.timeout(100);
  await expect(reserved.query("SELECT pg_sleep(60)", [], { signal })).rejects.toMatchObject({ code: "ABORTED" });
  await expect(reserved.query("SELECT 1 / 0")).rejects.toMatchObject({ code: "22012" });
  expect((await reserved.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
});

test("what waits for its turn ends by its own deadline and signal, and is never sent", async () => {
  await using pool = openPool(cluster);
  await using reserved = await pool.reserve();
  const giveUp = new AbortController();
  const first = rejection(reserved.query("SELECT 'long', pg_sleep(60)", [], { signal: giveUp.signal }));
  await running(cluster.primary(), "'long'");
  const sql = "CREATE TABLE never_made (id int)";
  expect(await rejection(reserved.query(sql, [], { timeoutMs: 100 }))).toBeInstanceOf(DeadlineError);
  expect(await rejection(reserved.query(sql, [], { signal: AbortSignal.timeout(100) }))).toBeInstanceOf(AbortedError);
  giveUp.abort();
  expect(await first).toBeInstanceOf(AbortedError);
  expect((await reserved.query("SELECT to_regclass('never_made') AS made")).rows).toEqual([{ made: null }]);
});

test("one that is let in by a primary that was superseded meanwhile leads to the new one", async () => {
  await using pool = openPool(cluster, {
    timeouts: { connectMs: 60_000 },
    monitor: { probeTimeoutMs: 60_000, misses: 20 },
  });
  await pool.start();
  const former = cluster.primary();
  await former.proxy.stall();
  const reserving = pool.reserve({ timeoutMs: 50_000 });
  await until("the login to be under way", () => former.proxy.stats.connections.active > 0);
  await cluster.promote(await cluster.mostAdvancedMirror());
  await until("the new primary to be seen", () => pool.topology().primary === cluster.primary().name);
  await former.proxy.heal();
  await using reserved = await reserving;
  expect(reserved.node).toBe(cluster.primary().name);
});

test("statements run in turn, cursors among them", async () => {
  await using pool = openPool(cluster);
  await using reserved = await pool.reserve();
  const cursor = new Cursor("SELECT n FROM generate_series(1, 5) n");
  const reading = submit(reserved, cursor as never);
  const after = reserved.query("SELECT 'after' AS what");
  expect(await cursor.read(2)).toEqual([{ n: 1 }, { n: 2 }]);
  await cursor.close();
  await reading;
  expect((await after).rows).toEqual([{ what: "after" }]);
});

test("the pool takes its reserved connections with it, and refuses what it does not know", async () => {
  const pool = openPool(cluster);
  const reserved = await pool.reserve();
  await expect(pool.reserve({ on: { node: "nobody" } })).rejects.toBeInstanceOf(OptionsError);
  await expect(pool.reserve({ at: "primary" } as never)).rejects.toThrow("at: expected one of on, parameters");
  await pool.close();
  expect(reserved.isOpen).toBe(false);
  await expect(reserved.query("SELECT 1")).rejects.toBeInstanceOf(PoolClosedError);
  await expect(pool.reserve()).rejects.toBeInstanceOf(PoolClosedError);
});
