import { CommitUnknownError, DeadlineError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { countRows, mend, notRunning } from "./support/cluster.ts";
import { rejection, settle } from "./support/outcome.ts";
import { openPool, underWay } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE job (id int PRIMARY KEY)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

test("a deadline cancels the statement on the server, and its connection is used again", async () => {
  await using pool = openPool(cluster, { pool: { max: 1 }, routing: { readFrom: "primary" } });
  await pool.start();
  for (let i = 0; i < 3; i += 1) {
    const error = await rejection(pool.query("SELECT 'to cancel', pg_sleep(60)", [], { timeoutMs: 200 }));
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error).toMatchObject({ code: "DEADLINE", node: "node1", retryable: true });
    await until("the connection to be free", () => underWay(pool) === 0);
  }
  await notRunning(cluster.primary(), "to cancel");
  await until("the pool to come to rest", () => underWay(pool) === 0);
  expect(pool.stats().nodes["node1"]).toMatchObject({ opened: 1, closed: 0 });
});

test("a write that a deadline ends is of unknown fate, and cancelled on the server", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const error = await rejection(pool.query("INSERT INTO job SELECT 1 FROM pg_sleep(60)", [], { timeoutMs: 300 }));
  expect(error).toBeInstanceOf(CommitUnknownError);
  await notRunning(cluster.primary(), "SELECT 1 FROM");
  expect(await countRows(cluster.primary(), "job", "id = 1")).toBe(0);
});

test("no cancel ever hits the next user of a connection", async () => {
  await using pool = openPool(cluster, { pool: { max: 3 }, routing: { readFrom: "primary" } });
  await pool.start();
  let ended = 0;
  // statements that end by themselves at about the moment of their deadline
  const racers = Array.from({ length: 6 }, async () => {
    for (let i = 0; i < 60; i += 1) {
      const { error } = await settle(pool.query("SELECT pg_sleep(0.02)", [], { timeoutMs: 12 + (i % 20) }));
      if (error !== undefined) {
        expect(error).toMatchObject({ code: expect.stringMatching(/DEADLINE|ACQUIRE_TIMEOUT/) });
        ended += 1;
      }
    }
  });
  // nobody may end these
  const victims = Array.from({ length: 4 }, async () => {
    for (let i = 0; i < 60; i += 1) {
      const { rows } = await pool.query("SELECT 1 AS one, pg_sleep(0.005)");
      expect(rows).toHaveLength(1);
    }
  });
  await Promise.all([...racers, ...victims]);
  expect(ended).toBeGreaterThan(10);
});

test("a transaction whose statement was cancelled is over, and leaves nothing", async () => {
  await using pool = openPool(cluster, { pool: { max: 1 } });
  const error = await rejection(
    pool.transaction(async (tx) => {
      await tx.query("INSERT INTO job VALUES (10)");
      await tx.query("SELECT pg_sleep(60)", [], { timeoutMs: 200 });
    }),
  );
  expect(error).toBeInstanceOf(DeadlineError);
  await pool.query("INSERT INTO job VALUES (11)");
  expect(await countRows(cluster.primary(), "job", "id = 10")).toBe(0);
  expect(pool.stats().nodes["node1"]).toMatchObject({ opened: 1, closed: 0 });
});

test("a connection that cannot be cancelled in time is destroyed, and replaced", async () => {
  await using pool = openPool(cluster, {
    pool: { max: 1 },
    routing: { readFrom: "primary" },
    monitor: { probeTimeoutMs: 30_000 },
  });
  await pool.query("SELECT 1");
  const { proxy } = cluster.primary();
  await proxy.stall();
  expect(await rejection(pool.query("SELECT 2", [], { timeoutMs: 200 }))).toBeInstanceOf(DeadlineError);
  await until("the connection to be destroyed", () => pool.stats().nodes["node1"]?.closed === 1);
  await proxy.heal();
  expect((await pool.query("SELECT 3 AS three")).rows).toEqual([{ three: 3 }]);
});

test("an ordinary error costs no connection", async () => {
  await using pool = openPool(cluster, { pool: { max: 2 } });
  await pool.query("INSERT INTO job VALUES (20)");
  const { opened } = pool.stats().nodes["node1"] ?? {};
  for (let i = 0; i < 100; i += 1) {
    expect(await rejection(pool.query("INSERT INTO job VALUES (20)"))).toMatchObject({ code: "23505" });
  }
  expect(await rejection(pool.query("SELECT * FROM nowhere"))).toMatchObject({ code: "42P01" });
  expect(await rejection(pool.query("SELEC 1"))).toMatchObject({ code: "42601" });
  expect(pool.stats().nodes["node1"]).toMatchObject({ opened, closed: 0 });
  expect(pool.stats()).toMatchObject({ reruns: 0, commitUnknown: 0 });
});
