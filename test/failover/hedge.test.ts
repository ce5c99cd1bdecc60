import type { FailoverPool, PoolOptions } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterEach, beforeAll, expect, test } from "vitest";
import { mend } from "./support/cluster.ts";
import { openPool, underWay } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 2 });
  const view = "CREATE VIEW answering AS SELECT current_setting('cluster_name') AS name";
  const table = "CREATE TABLE visit (id int); GRANT ALL ON visit TO app";
  await cluster.primary().query(`${view}; GRANT SELECT ON answering TO app; ${table}`);
  await cluster.caughtUp();
  return () => cluster.close();
});
afterEach(() => mend(cluster));

const mirrors = (): readonly [LabNode, LabNode] => cluster.mirrors() as [LabNode, LabNode]; // made with two

async function open(hedge: number, options: Partial<PoolOptions> = {}): Promise<FailoverPool> {
  // a mirror that answers slowly is to stay in use, and to be asked as often as the other one
  const monitor = { probeTimeoutMs: 5000 };
  const pool = openPool(cluster, { routing: { hedge }, monitor, ...options });
  await pool.start();
  await until("all nodes to be seen", () => pool.topology().nodes.every(({ status }) => status === "up"));
  return pool;
}

async function read(pool: FailoverPool): Promise<string> {
  const { rows } = await pool.query<{ name: string }>("SELECT name FROM answering");
  return rows[0]?.name ?? "";
}

/** Both mirrors have answered often enough for the pool to know what is slow. */
async function learn(pool: FailoverPool): Promise<void> {
  const answers = new Map<string, number>();
  const isKnown = async (): Promise<boolean> => {
    for (const name of await Promise.all(Array.from({ length: 8 }, () => read(pool))))
      answers.set(name, (answers.get(name) ?? 0) + 1);
    return mirrors().every(({ name }) => (answers.get(name) ?? 0) >= 40);
  };
  await until("both mirrors to be known", isKnown);
}

const isQuiet = (pool: FailoverPool) => (): boolean => underWay(pool) === 0;

test("reads that a slow mirror keeps waiting are answered by another node, and its connections come to rest", async () => {
  await using pool = await open(1);
  await learn(pool);
  const [slow] = mirrors();
  await slow.proxy.latency(1000);
  const reads = Array.from({ length: 16 }, () => read(pool));
  const answers = await Promise.all(reads);
  expect(answers).not.toContain(slow.name);
  const { hedged, hedgesWon } = pool.stats();
  expect(hedged).toBeGreaterThan(0);
  expect(hedgesWon).toBeGreaterThan(0);
  await slow.proxy.heal();
  await until("the slow attempts to end", isQuiet(pool));
  expect(await Promise.all(Array.from({ length: 16 }, () => read(pool)))).toHaveLength(16);
});

test("a read on a frozen mirror is answered by another node, long before the mirror counts as down", async () => {
  await using pool = await open(1);
  await learn(pool);
  const [frozen] = mirrors();
  await frozen.freeze();
  const answers = await Promise.all(Array.from({ length: 16 }, () => read(pool)));
  expect(answers).not.toContain(frozen.name);
  expect(pool.topology().nodes.every(({ status }) => status === "up")).toBe(true);
  expect(pool.stats().hedgesWon).toBeGreaterThan(0);
});

test("a slow read of a mirror that is alone is answered by the primary", async () => {
  const [only, gone] = mirrors();
  await using pool = await open(1);
  await learn(pool);
  await gone.kill();
  await until("the loss to be seen", () => pool.topology().nodes.some(({ status }) => status === "down"));
  await only.proxy.latency(1000);
  await until("the primary to answer", async () => (await read(pool)) === cluster.primary().name);
});

test("writes and transactions are never sent twice, however slow the primary is", async () => {
  await using pool = await open(1);
  await learn(pool);
  await pool.query("DELETE FROM visit");
  const { hedged } = pool.stats();
  await cluster.primary().proxy.latency(300);
  await Promise.all(Array.from({ length: 8 }, (_, id) => pool.query("INSERT INTO visit VALUES ($1)", [id])));
  await pool.transaction(async (tx) => {
    await tx.query("INSERT INTO visit VALUES (8)");
    await tx.query("SELECT count(*) FROM visit");
  });
  const { rows } = await pool.query<{ count: number }>("SELECT count(*)::int FROM visit", [], {
    consistency: "strong",
  });
  expect(rows[0]?.count).toBe(9);
  expect(pool.stats().hedged).toBe(hedged);
});

test("no more reads than the budget allows are sent twice, also when all are slow", async () => {
  await using pool = await open(0.05);
  await learn(pool);
  for (const mirror of mirrors()) await mirror.proxy.latency(60);
  for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 16 }, () => read(pool)));
  const { hedged, reads } = pool.stats();
  expect(hedged).toBeGreaterThan(0);
  expect(hedged).toBeLessThanOrEqual(0.05 * reads);
});

test("a session that has set something is not hedged, nor is any read by default", async () => {
  const [slow] = mirrors();
  await using pool = await open(1);
  await using usual = await open(0);
  await learn(pool);
  await learn(usual);
  const { hedged } = pool.stats();
  await using session = await pool.connect();
  await session.query("SET statement_timeout = 10000");
  for (const mirror of mirrors()) await mirror.proxy.latency(200);
  await session.query("SELECT name FROM answering");
  expect(pool.stats().hedged).toBe(hedged);
  await Promise.all(Array.from({ length: 8 }, () => read(usual)));
  expect(usual.stats().hedged).toBe(0);
  await slow.proxy.heal();
});

test("a signal ends both attempts", async () => {
  await using pool = await open(1);
  await learn(pool);
  const { hedged } = pool.stats();
  for (const node of cluster.nodes) await node.proxy.latency(2000);
  const controller = new AbortController();
  const reads = Array.from({ length: 4 }, () =>
    pool.query("SELECT name FROM answering", [], { signal: controller.signal }).catch((error: unknown) => error),
  );
  await until("a second attempt", () => pool.stats().hedged > hedged);
  controller.abort();
  for (const error of await Promise.all(reads)) expect(error).toMatchObject({ code: "ABORTED" });
  for (const node of cluster.nodes) await node.proxy.heal();
  await until("both to end", isQuiet(pool));
});
