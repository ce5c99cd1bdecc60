import type { FailoverPool, PoolOptions } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterEach, beforeAll, expect, test } from "vitest";
import { mend } from "./support/cluster.ts";
import { nodesOf, openPool } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 2 });
  const view = "CREATE VIEW answering AS SELECT current_setting('cluster_name') AS name";
  await cluster.primary().query(`${view}; GRANT SELECT ON answering TO app`);
  await cluster.caughtUp();
  return () => cluster.close();
});
afterEach(() => mend(cluster));

/** Two mirrors, and a pool that gives the reads to them as it is told. */
async function open(
  routing: PoolOptions["routing"],
  weights: Readonly<Record<string, number>> = {},
): Promise<FailoverPool> {
  const nodes = nodesOf(cluster).map((node) => ({ ...node, weight: weights[node.name ?? ""] ?? 1 }));
  const pool = openPool(cluster, { nodes, routing: routing ?? {} });
  await pool.start();
  await until("all nodes to be seen", () => pool.topology().nodes.every(({ status }) => status === "up"));
  return pool;
}

const mirrors = (): readonly [LabNode, LabNode] => cluster.mirrors() as [LabNode, LabNode]; // made with two

/** Who answers how many of so many reads, asked by some callers at once. */
async function answers(pool: FailoverPool, reads: number, callers: number): Promise<(node: LabNode) => number> {
  const counts = new Map<string, number>();
  let left = reads;
  const caller = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { rows } = await pool.query<{ name: string }>("SELECT name FROM answering");
      const name = rows[0]?.name ?? "";
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return ({ name }) => counts.get(name) ?? 0;
}

test("mirrors that are alike share the reads, and the primary gets none", async () => {
  await using pool = await open({});
  const of = await answers(pool, 400, 16);
  const [one, other] = mirrors();
  expect(of(cluster.primary())).toBe(0);
  expect(of(one)).toBeGreaterThan(100);
  expect(of(other)).toBeGreaterThan(100);
});

test("a mirror with three times the weight gets about three times the reads of many callers", async () => {
  const [heavy, light] = mirrors();
  await using pool = await open({}, { [heavy.name]: 3 });
  const of = await answers(pool, 800, 16);
  expect(of(heavy)).toBeGreaterThan(1.8 * of(light));
  expect(of(light)).toBeGreaterThan(50);
});

test("a mirror of weight 0 gets reads only when no other can answer", async () => {
  const [spare, usual] = mirrors();
  await using pool = await open({}, { [spare.name]: 0 });
  const before = await answers(pool, 200, 16);
  expect(before(spare)).toBe(0);
  await usual.kill();
  await until("the loss to be seen", () => pool.topology().nodes.some(({ status }) => status === "down"));
  const after = await answers(pool, 50, 4);
  expect(after(spare)).toBe(50);
});

test("by least work a mirror that answers slowly gets fewer reads", async () => {
  const [slow, quick] = mirrors();
  await slow.proxy.latency(20);
  await using pool = await open({ balance: "least-busy" });
  const of = await answers(pool, 400, 8);
  expect(of(quick)).toBeGreaterThan(2 * of(slow));
});

test("by latency the nearer mirror gets the reads, and the other one when that has become nearer", async () => {
  const [one, other] = mirrors();
  await other.proxy.latency(10);
  await using pool = await open({ balance: "latency" });
  const allFrom = (node: LabNode) => async (): Promise<boolean> => (await answers(pool, 50, 4))(node) === 50;
  await until("all reads to go to the nearer one", allFrom(one));
  await one.proxy.latency(30);
  await other.proxy.heal();
  await until("all reads to go to the one that is nearer now", allFrom(other));
});

test("a mirror that is behind by more than it may gets no reads, whatever its weight", async () => {
  const [behind, fresh] = mirrors();
  await using pool = await open({ consistency: "eventual", maxLagBytes: 0 }, { [behind.name]: 1000 });
  await behind.lag(true);
  await pool.query("CREATE TABLE IF NOT EXISTS lagging (id int)");
  await pool.query("INSERT INTO lagging SELECT generate_series(1, 1000)");
  const noneFromBehind = async (): Promise<boolean> => {
    const of = await answers(pool, 50, 4);
    return of(behind) === 0 && of(fresh) > 0;
  };
  await until("its lag to be seen", noneFromBehind);
  expect(await noneFromBehind()).toBe(true);
});
