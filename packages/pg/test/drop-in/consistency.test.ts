import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { createDropIn, Pool } from "@mirrorpool/pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCore, until } from "./support.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
});
afterAll(() => cluster?.close());

test("of two pools on one failover pool each has its own consistency", async () => {
  const routing = { consistency: "eventual", maxLagMs: 3_600_000 } as const;
  await using core = openCore(cluster, { routing });
  await core.start();
  await until("the mirror to be seen", () => {
    const { nodes } = core.topology();
    return nodes.some(({ role, status }) => role === "mirror" && status === "up");
  });
  await core.query("CREATE TABLE witness AS SELECT 'mirror' AS place");
  await cluster.caughtUp();
  for (const mirror of cluster.mirrors()) await mirror.lag(true);
  await cluster.primary().query("UPDATE witness SET place = 'primary'");
  const [reading, writing] = [new Pool({ mirrorpool: core }), new Pool({ mirrorpool: core, consistency: "strong" })];
  try {
    expect((await reading.query("SELECT place FROM witness")).rows).toEqual([{ place: "mirror" }]);
    expect((await writing.query("SELECT place FROM witness")).rows).toEqual([{ place: "primary" }]);
    const client = await writing.connect();
    expect((await client.query("SELECT place FROM witness")).rows).toEqual([{ place: "primary" }]);
    client.release();
  } finally {
    await Promise.all([reading.end(), writing.end()]);
  }
});

test("an unknown consistency is refused", async () => {
  await using core = openCore(cluster);
  expect(() => new Pool({ mirrorpool: core, consistency: "weak" as "strong" })).toThrow(/^consistency: /);
});

test("a module asks for its failover pool when a pool or client is made, and not before", async () => {
  await using core = openCore(cluster);
  let asked = 0;
  const { Pool: Shared } = createDropIn({
    mirrorpool: () => {
      asked += 1;
      return core;
    },
  });
  expect(asked).toBe(0);
  const pool = new Shared();
  expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  expect(asked).toBe(1);
  await pool.end();
  expect((await core.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
});
