import { type NodeReport, SplitBrainError } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { countRows } from "./support/cluster.ts";
import { rejection } from "./support/outcome.ts";
import { openPool, record } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 3 });
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE vote (id int)");
  await cluster.caughtUp();
});
afterEach(async () => {
  const primary = cluster.primary();
  if (!primary.isRunning) await primary.start();
  for (const node of cluster.nodes) if (node !== primary) await cluster.rejoin(node);
});
afterAll(() => cluster?.close());

const isDown = ({ status }: NodeReport): boolean => status === "down";

/** Kills the primary and promotes two of its mirrors apart from each other: both come to be on the same timeline. */
async function promoteTwo(): Promise<readonly [LabNode, LabNode]> {
  const [one, other] = cluster.mirrors() as readonly [LabNode, LabNode];
  await cluster.primary().kill();
  await cluster.promote(one, { follow: false });
  await cluster.promote(other, { follow: false });
  return [one, other];
}

test("two primaries on one timeline stop all writes, and reads too unless they are allowed", async () => {
  await using strict = openPool(cluster);
  await using lenient = openPool(cluster, { routing: { splitBrainReads: true } });
  const events = record(strict);
  await Promise.all([strict.start(), lenient.start()]);
  const [one, other] = await promoteTwo();
  for (const pool of [strict, lenient]) {
    await until("the split to be seen", () => pool.topology().isSplit && pool.topology().nodes.some(isDown));
  }

  for (const pool of [strict, lenient]) {
    const error = await rejection(pool.query("INSERT INTO vote VALUES (1)"));
    expect(error).toBeInstanceOf(SplitBrainError);
    expect(error).toMatchObject({ code: "SPLIT_BRAIN", retryable: true });
    const { nodes } = error as SplitBrainError;
    const claimants = nodes.filter(({ role, status }) => role === "primary" && status === "up");
    expect(
      claimants.map(({ id }) => id),
      JSON.stringify(nodes),
    ).toEqual([one.name, other.name].sort());
    expect(await rejection(pool.transaction((tx) => tx.query("SELECT 1").then(() => {})))).toBeInstanceOf(
      SplitBrainError,
    );
  }
  expect(await rejection(strict.query("SELECT count(*) FROM vote"))).toBeInstanceOf(SplitBrainError);
  expect((await lenient.query("SELECT count(*)::int FROM vote")).rows).toEqual([{ count: 0 }]);
  expect(events).toContainEqual({ name: "split-brain", nodes: [one.name, other.name].sort() });
  expect(events).toContainEqual({ name: "primary-lost", node: expect.any(String), reason: "split-brain" });
  for (const node of [one, other]) expect(await countRows(node, "vote")).toBe(0);
});

test("writes go on when one of two primaries gives way", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const [one, other] = await promoteTwo();
  await until("the split to be seen", () => pool.topology().isSplit);
  // the lab takes the one that was promoted last for the primary
  await cluster.rejoin(one);
  await until("the split to end", () => pool.topology().primary === other.name);
  await pool.query("INSERT INTO vote VALUES (2)");
  expect(await countRows(other, "vote", "id = 2")).toBe(1);
});

test("a rival on the accepted primary's timeline gets no write when that primary dies", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const [one, other] = cluster.mirrors() as readonly [LabNode, LabNode];
  await cluster.primary().kill();
  await cluster.promote(one, { follow: false });
  await pool.query("INSERT INTO vote VALUES (3)");
  await one.kill();
  await cluster.promote(other, { follow: false });
  await until("the rival to be seen", () => pool.topology().isSplit);
  expect(await rejection(pool.query("INSERT INTO vote VALUES (4)", [], { timeoutMs: 1_000 }))).toBeInstanceOf(
    SplitBrainError,
  );
  expect(await countRows(other, "vote", "id = 4")).toBe(0);
});

test("nodes of two clusters in one pool are refused, not mixed", async () => {
  await using other = await createCluster({ mirrors: 0 });
  const nodes = [...cluster.nodes, ...other.nodes].map(({ url }) => ({ url }));
  await using pool = openPool(cluster, { nodes });
  const error = await rejection(pool.query("INSERT INTO vote VALUES (5)"));
  expect(error).toBeInstanceOf(SplitBrainError);
  expect(await countRows(cluster.primary(), "vote", "id = 5")).toBe(0);
});
