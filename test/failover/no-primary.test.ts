import { NoNodeError, NoPrimaryError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { anyMirror, countRows, mend, promoteMirror } from "./support/cluster.ts";
import { LATE_MS, rejection, settle } from "./support/outcome.ts";
import { nodesOf, openPool, record } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE item (id int)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

test("without a primary reads go on, and writes end at their deadline with the last observation of each node", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const old = cluster.primary();
  await old.query("INSERT INTO item VALUES (1)");
  await cluster.caughtUp();
  await old.kill();
  await until("the loss to be seen", () => pool.topology().primary === undefined);
  const reads = await Promise.all(Array.from({ length: 20 }, () => pool.query("SELECT id FROM item WHERE id = 1")));
  for (const { rows } of reads) expect(rows).toEqual([{ id: 1 }]);
  const { error, ms } = await settle(pool.query("INSERT INTO item VALUES (2)", [], { timeoutMs: 300 }));
  expect(ms).toBeLessThan(300 + LATE_MS);
  expect(error).toBeInstanceOf(NoPrimaryError);
  expect(error).toMatchObject({ code: "NO_PRIMARY", retryable: true });
  const { nodes, message } = error as NoPrimaryError;
  expect(nodes).toHaveLength(3);
  for (const node of nodes) {
    expect(node.observedAgoMs).toBeGreaterThanOrEqual(0);
    if (node.id === old.name)
      expect(node).toMatchObject({ status: "down", role: "primary", fault: "refused (ECONNREFUSED)" });
    else expect(node).toMatchObject({ status: "up", role: "mirror", fault: undefined });
    expect(message).toContain(node.id);
  }
});

test("a read that must see a write which no mirror is known to have waits for a primary, an eventual one does not", async () => {
  // no sample of the primary after the write
  await using pool = openPool(cluster, { monitor: { intervalMs: 60_000 } });
  await pool.query("INSERT INTO item VALUES (10)");
  await cluster.primary().kill();
  expect(await rejection(pool.query("SELECT id FROM item", [], { timeoutMs: 300 }))).toBeInstanceOf(NoNodeError);
  await pool.query("SELECT id FROM item", [], { consistency: "eventual" });
  const read = settle(pool.query("SELECT id FROM item WHERE id = 10"));
  await promoteMirror(cluster);
  expect((await read).error).toBeUndefined();
});

test("a pool that is given only mirrors answers reads and refuses writes", async () => {
  const mirrors = nodesOf(cluster).filter(({ name }) => name !== cluster.primary().name);
  await using pool = openPool(cluster, { nodes: mirrors, timeouts: { failoverMs: 300 } });
  expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  const { error, ms } = await settle(pool.query("INSERT INTO item VALUES (3)"));
  expect(error).toBeInstanceOf(NoPrimaryError);
  expect(ms).toBeLessThan(2_000);
  expect(await rejection(pool.start())).toBeInstanceOf(NoPrimaryError);
  expect(await rejection(pool.transaction(async (tx) => void (await tx.query("SELECT 1"))))).toBeInstanceOf(
    NoPrimaryError,
  );
});

test("when all nodes are down calls wait, and go on when the nodes are back", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await pool.query("INSERT INTO item VALUES (4)");
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  await until("all to be seen down", () => pool.topology().nodes.every(({ status }) => status === "down"));
  expect(await rejection(pool.query("SELECT 1", [], { timeoutMs: 100 }))).toBeInstanceOf(NoNodeError);
  expect(await rejection(pool.query("INSERT INTO item VALUES (5)", [], { timeoutMs: 100 }))).toBeInstanceOf(
    NoPrimaryError,
  );
  const calls = [
    ...Array.from({ length: 10 }, () => settle(pool.query("SELECT 1"))),
    ...Array.from({ length: 10 }, () => settle(pool.query("INSERT INTO item VALUES (6)"))),
    settle(pool.transaction(async (tx) => void (await tx.query("INSERT INTO item VALUES (6)")))),
  ];
  await until("the calls to wait", () => pool.stats().waitingForNode === calls.length);
  await Promise.all(cluster.nodes.map((node) => node.start()));
  for (const { error } of await Promise.all(calls)) expect(error).toBeUndefined();
  expect(await countRows(cluster.primary(), "item", "id = 6")).toBe(11);
  // the same primary on the same timeline: no failover
  expect(pool.topology().epoch).toBe(1);
  expect(events.filter(({ name }) => name === "node-down")).toHaveLength(3);
});

test("a pool that is made while no node is there starts when they come", async () => {
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  await using pool = openPool(cluster);
  const started = settle(pool.start());
  const write = settle(pool.query("INSERT INTO item VALUES (7)"));
  await until("all to be seen down", () => pool.topology().nodes.every(({ status }) => status === "down"));
  await Promise.all(cluster.nodes.map((node) => node.start()));
  expect((await started).error).toBeUndefined();
  expect((await write).error).toBeUndefined();
});

test("a pool whose only node restarts goes on with it", async () => {
  const primary = cluster.primary();
  await using pool = openPool(cluster, { nodes: [{ name: primary.name, url: primary.url }] });
  await pool.query("INSERT INTO item VALUES (8)");
  await primary.restart();
  await pool.query("INSERT INTO item VALUES (8)");
  expect((await pool.query("SELECT count(*)::int FROM item WHERE id = 8")).rows).toEqual([{ count: 2 }]);
});

test("a mirror that is promoted without the pool's knowing its predecessor's death is taken once that is certain", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const old = cluster.primary();
  await old.stop("fast");
  const promoted = anyMirror(cluster);
  const write = settle(pool.query("INSERT INTO item VALUES (9)"));
  await cluster.promote(promoted);
  expect((await write).error).toBeUndefined();
  expect(await countRows(promoted, "item", "id = 9")).toBe(1);
});
