import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { mend } from "./support/cluster.ts";
import { openPool } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE gauge (id int)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

test("connections that are idle for too long are closed, down to min", async () => {
  await using pool = openPool(cluster, { pool: { idleMs: 200, min: 1, warm: 0 } });
  await Promise.all(Array.from({ length: 5 }, () => pool.query("INSERT INTO gauge SELECT 1 FROM pg_sleep(0.05)")));
  expect(pool.stats().nodes["node1"]?.opened).toBeGreaterThanOrEqual(5);
  await until("the idle ones to be closed", () => {
    const { opened = 0, closed = 0, idle = 0 } = pool.stats().nodes["node1"] ?? {};
    return idle === 1 && closed === opened - 1;
  });
});

test("connections that are too old are replaced, and none that is in use is cut", async () => {
  await using pool = openPool(cluster, { pool: { lifetimeMs: 1_000, lifetimeJitter: 0, warm: 0, max: 2 } });
  await using session = await pool.connect();
  await session.query("BEGIN");
  await pool.query("INSERT INTO gauge VALUES (2)");
  await until("the idle one to be closed", () => pool.stats().nodes["node1"]?.closed === 1);
  await session.query("SELECT pg_sleep(0.2)");
  await session.query("COMMIT");
  expect(pool.stats().nodes["node1"]?.closed).toBe(1);
  session.release();
  await until("the other one to be closed", () => pool.stats().nodes["node1"]?.closed === 2);
  await pool.query("INSERT INTO gauge VALUES (2)");
  expect(pool.stats().nodes["node1"]).toMatchObject({ opened: 3, idle: 1 });
});

test("a connection that died in its sleep is found out before it is lent, and a write on it is not put at risk", async () => {
  await using pool = openPool(cluster, {
    pool: { validateAfterIdleMs: 0, max: 1, warm: 0 },
    monitor: { probeTimeoutMs: 300, intervalMs: 60_000 },
  });
  await pool.query("INSERT INTO gauge VALUES (3)");
  const { proxy } = cluster.primary();
  // the connection is dead, and nothing says so: a firewall has forgotten it
  await proxy.halfOpen("down");
  const write = pool.query("INSERT INTO gauge VALUES (4)");
  await until("the check", () => proxy.stats.swallowedBytes.down > 0);
  await proxy.heal();
  await write;
  expect((await cluster.primary().query("SELECT id FROM gauge WHERE id = 4")).length).toBe(1);
  expect(pool.stats()).toMatchObject({ commitUnknown: 0 });
  expect(pool.stats().nodes["node1"]?.opened).toBe(2);
});
