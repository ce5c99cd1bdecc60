import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterEach, beforeAll, expect, test } from "vitest";
import { mend, promoteMirror } from "./support/cluster.ts";
import { settle } from "./support/outcome.ts";
import { openPool } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  return () => cluster.close();
});
afterEach(() => mend(cluster));

/** Half a round trip between continents. A login takes four of them, longer than a probe may. */
const HALF_WAY_MS = 80;

test("nodes on another continent are found up, and found again when their connections break", async () => {
  await Promise.all(cluster.nodes.map(({ proxy }) => proxy.latency(HALF_WAY_MS)));
  await using pool = openPool(cluster);
  await pool.start({ timeoutMs: 5_000 });
  await pool.query("CREATE TABLE far (id int)");
  for (const { proxy } of cluster.nodes) proxy.dropConnections();
  await until("the pool to notice", () => Object.values(pool.stats().nodes).every(({ idle }) => idle === 0));
  await pool.query("INSERT INTO far VALUES (1)");
  expect((await pool.query("SELECT id FROM far")).rows).toEqual([{ id: 1 }]);
  expect(pool.stats()).toMatchObject({ failovers: 0, commitUnknown: 0 });
});

test("a slow and jittery line costs time, not errors", async () => {
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE slow (id int)");
  await Promise.all(cluster.nodes.map(({ proxy }) => proxy.latency(20, 20)));
  const calls = Array.from({ length: 40 }, async (_, id) => {
    await pool.query("INSERT INTO slow VALUES ($1)", [id]);
    expect((await pool.query("SELECT id FROM slow WHERE id = $1", [id])).rows).toEqual([{ id }]);
  });
  await Promise.all(calls);
  expect(pool.stats()).toMatchObject({ failovers: 0, commitUnknown: 0, reruns: 0 });
});

test("a failover between distant nodes is carried out as well", async () => {
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE moved (id int)");
  await cluster.caughtUp();
  await Promise.all(cluster.nodes.map(({ proxy }) => proxy.latency(HALF_WAY_MS)));
  await cluster.primary().kill();
  await until("the loss to be seen", () => pool.topology().primary === undefined);
  const write = settle(pool.query("INSERT INTO moved VALUES (1)"));
  await promoteMirror(cluster);
  expect((await write).error).toBeUndefined();
});
