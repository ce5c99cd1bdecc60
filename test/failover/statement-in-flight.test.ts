import { CommitUnknownError, TransactionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { countRows, mend, promoteMirror, running, whereRuns } from "./support/cluster.ts";
import { rejection, settle } from "./support/outcome.ts";
import { openPool, record, underWay } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE entry (id int PRIMARY KEY)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

test("a write that comes while there is no primary waits for the new one", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await pool.start();
  const old = cluster.primary();
  await old.kill();
  const write = settle(pool.query("INSERT INTO entry VALUES (1)"));
  const promoted = await promoteMirror(cluster);
  expect((await write).error).toBeUndefined();
  expect(await countRows(promoted, "entry", "id = 1")).toBe(1);
  expect(events).toContainEqual(expect.objectContaining({ name: "primary-lost", node: old.name }));
  expect(events).toContainEqual(
    expect.objectContaining({ name: "primary-changed", node: promoted.name, previous: old.name, reason: "failover" }),
  );
  expect(pool.stats()).toMatchObject({ failovers: 1, commitUnknown: 0 });
});

test("a call that waits for a connection when the primary dies is served by the new one", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 } });
  const holder = settle(
    pool.transaction(async (tx) => {
      await tx.query("SELECT 1");
      await tx.query("SELECT 'holder', pg_sleep(60)");
    }),
  );
  const old = cluster.primary();
  await running(old, "holder");
  const write = settle(pool.query("INSERT INTO entry VALUES (2)"));
  await until("the write to wait", () => pool.stats().nodes[old.name]?.waiting === 1);
  await old.kill();
  const promoted = await promoteMirror(cluster);
  expect((await write).error).toBeUndefined();
  expect((await holder).error).toBeInstanceOf(TransactionLostError);
  expect(await countRows(promoted, "entry", "id = 2")).toBe(1);
  expect(underWay(pool)).toBe(0);
});

const losses: readonly (readonly [string, (node: LabNode) => Promise<unknown>])[] = [
  ["is killed", (node) => node.kill()],
  ["freezes", (node) => node.freeze()],
  ["ends the connection", (node) => node.terminateBackends()],
  ["is reset by the network", async (node) => node.proxy.dropConnections()],
  ["falls into a black hole", (node) => node.proxy.blackHole()],
  ["crashes without a word", (node) => node.stop("immediate")],
];

test.each(losses)("a read in flight on a mirror that %s is answered by another node", async (_, lose) => {
  await using pool = openPool(cluster);
  const read = settle(pool.query<{ answer: number }>("SELECT 42 AS answer, pg_sleep(1) AS in_flight"));
  const mirror = await whereRuns(cluster.mirrors(), "in_flight");
  await lose(mirror);
  expect((await read).value?.rows[0]?.answer).toBe(42);
  expect(pool.stats().reruns).toBeGreaterThanOrEqual(1);
  await until("the pool to come to rest", () => underWay(pool) === 0);
});

test("what only a primary may answer, and has no effect, is answered by its successor", async () => {
  await using pool = openPool(cluster);
  const text = "SELECT pg_is_in_recovery() AS is_mirror, pg_sleep(1) AS in_flight FROM pg_class LIMIT 1";
  const read = settle(pool.query<{ is_mirror: boolean }>(text));
  const old = cluster.primary();
  await running(old, "in_flight");
  await old.kill();
  await promoteMirror(cluster);
  expect((await read).value?.rows[0]?.is_mirror).toBe(false);
  expect(pool.stats()).toMatchObject({ commitUnknown: 0, misrouted: 0 });
});

test.each(losses.slice(0, 2))("a read in flight on a primary that %s is answered by its successor", async (_, lose) => {
  await using pool = openPool(cluster, { routing: { readFrom: "primary" } });
  await pool.start();
  const read = settle(pool.query<{ answer: number }>("SELECT 43 AS answer, pg_sleep(1) AS in_flight"));
  await running(cluster.primary(), "in_flight");
  await lose(cluster.primary());
  await promoteMirror(cluster);
  expect((await read).value?.rows[0]?.answer).toBe(43);
});

test("a write that was certainly not sent goes to the new primary", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const old = cluster.primary();
  await old.proxy.refuse();
  const writes = Array.from({ length: 20 }, (_, i) => settle(pool.query("INSERT INTO entry VALUES ($1)", [100 + i])));
  await until("the writes to wait", () => pool.stats().waitingForNode === 20);
  const promoted = await promoteMirror(cluster);
  for (const { error } of await Promise.all(writes)) expect(error).toBeUndefined();
  expect(await countRows(promoted, "entry", "id BETWEEN 100 AND 119")).toBe(20);
  expect(await countRows(old, "entry", "id BETWEEN 100 AND 119")).toBe(0);
});

test("a write in flight on a primary that is killed is of unknown fate and never run again", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  const write = settle(pool.query("INSERT INTO entry SELECT 200 FROM pg_sleep(5)"));
  const old = cluster.primary();
  await running(old, "SELECT 200");
  await old.kill();
  const promoted = await promoteMirror(cluster);
  const { error } = await write;
  expect(error).toBeInstanceOf(CommitUnknownError);
  expect(error).toMatchObject({ code: "COMMIT_UNKNOWN", node: old.name, retryable: false });
  await pool.query("INSERT INTO entry VALUES (201)");
  expect(await countRows(promoted, "entry", "id = 200")).toBe(0);
  expect(events).toContainEqual({ name: "commit-unknown", node: old.name, command: "INSERT" });
  expect(pool.stats().commitUnknown).toBe(1);
});

test("a write of which only the answer is lost is of unknown fate, and there exactly once", async () => {
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE IF NOT EXISTS twice (id int)");
  const old = cluster.primary();
  await old.proxy.halfOpen("down");
  const error = await rejection(pool.query("INSERT INTO twice VALUES (1)"));
  expect(error).toBeInstanceOf(CommitUnknownError);
  await old.proxy.heal();
  await pool.query("INSERT INTO twice VALUES (2)");
  expect(await countRows(old, "twice", "id = 1")).toBe(1);
  expect(await countRows(old, "twice", "id = 2")).toBe(1);
});

test("a write whose connection breaks after the first byte of its answer is there exactly once", async () => {
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE IF NOT EXISTS torn (id int)");
  const primary = cluster.primary();
  await primary.proxy.cutAfter(1, "down");
  const error = await rejection(pool.query("INSERT INTO torn VALUES (1)"));
  await primary.proxy.heal();
  expect(error).toBeInstanceOf(CommitUnknownError);
  await pool.query("INSERT INTO torn VALUES (2)");
  expect(await countRows(primary, "torn", "id = 1")).toBe(1);
});

test("a write in flight on a primary that freezes ends without a deadline of the caller, and never runs on the new one", async () => {
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE IF NOT EXISTS frozen (id int)");
  await cluster.caughtUp();
  const old = cluster.primary();
  await old.freeze();
  const { error, ms } = await settle(pool.query("INSERT INTO frozen VALUES (1)"));
  expect(error).toBeInstanceOf(CommitUnknownError);
  expect(ms).toBeLessThan(5_000);
  const promoted = await promoteMirror(cluster);
  await pool.query("INSERT INTO frozen VALUES (2)");
  expect(await countRows(promoted, "frozen", "id = 1")).toBe(0);
  expect(await countRows(promoted, "frozen", "id = 2")).toBe(1);
});
