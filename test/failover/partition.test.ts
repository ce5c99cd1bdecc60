import { CommitUnknownError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { anyMirror, countRows, mend, promoteMirror } from "./support/cluster.ts";
import { rejection, settle } from "./support/outcome.ts";
import { openPool, record, underWay } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE letter (id int)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

test("a write that the network delivers after the failover lands on the old primary only, and was never acknowledged", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await pool.query("INSERT INTO letter VALUES (1)");
  await cluster.caughtUp();
  const old = cluster.primary();
  await old.proxy.stall();
  const late = settle(pool.query("INSERT INTO letter VALUES (2)"));
  const promoted = await promoteMirror(cluster);
  expect((await late).error).toBeInstanceOf(CommitUnknownError);
  await pool.query("INSERT INTO letter VALUES (3)");
  await old.proxy.heal();
  await until("the late write to arrive", async () => (await countRows(old, "letter", "id = 2")) === 1);
  await until("the old primary to be fenced", () =>
    events.some((event) => event.name === "node-fenced" && event.node === old.name),
  );
  await pool.query("INSERT INTO letter VALUES (4)");
  expect(await countRows(promoted, "letter", "id = 2")).toBe(0);
  expect(await countRows(promoted, "letter", "id IN (3, 4)")).toBe(2);
  expect(await countRows(old, "letter", "id IN (3, 4)")).toBe(0);
});

test("a primary in a black hole is declared down, and its calls go to the promoted mirror", async () => {
  await using pool = openPool(cluster, { routing: { readFrom: "primary" } });
  const events = record(pool);
  await pool.query("INSERT INTO letter VALUES (10)");
  const old = cluster.primary();
  await cluster.caughtUp();
  await old.proxy.blackHole();
  await until("the node to be declared down", () => events.some((event) => event.name === "node-down"), 5_000);
  const calls = [
    settle(pool.query("INSERT INTO letter VALUES (11)")),
    settle(pool.query("SELECT id FROM letter WHERE id = 10")),
  ];
  await promoteMirror(cluster);
  for (const { error } of await Promise.all(calls)) expect(error).toBeUndefined();
  await old.proxy.heal();
  await until("the old primary to be fenced", () =>
    events.some((event) => event.name === "node-fenced" && event.node === old.name),
  );
  for (let i = 0; i < 20; i += 1) await pool.query("INSERT INTO letter VALUES (12)");
  expect(await countRows(old, "letter", "id IN (11, 12)")).toBe(0);
});

test("a black hole that heals without a promotion costs time only", async () => {
  await using pool = openPool(cluster);
  await pool.query("INSERT INTO letter VALUES (20)");
  await Promise.all(cluster.nodes.map(({ proxy }) => proxy.blackHole()));
  await until("all to be seen down", () => pool.topology().nodes.every(({ status }) => status === "down"));
  const calls = [
    settle(pool.query("INSERT INTO letter VALUES (21)")),
    settle(pool.query("SELECT 1")),
    settle(pool.transaction(async (tx) => void (await tx.query("INSERT INTO letter VALUES (21)")))),
  ];
  await Promise.all(cluster.nodes.map(({ proxy }) => proxy.heal()));
  for (const { error } of await Promise.all(calls)) expect(error).toBeUndefined();
  expect(pool.topology().epoch).toBe(1);
  expect(await countRows(cluster.primary(), "letter", "id = 21")).toBe(2);
});

test("a mirror in a black hole costs its reads a moment, and no error", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const read = () => settle(pool.query("SELECT 1 AS one", [], { consistency: "eventual" }));
  await Promise.all(Array.from({ length: 20 }, read));
  const mirror = anyMirror(cluster);
  await mirror.proxy.blackHole();
  const outcomes = await Promise.all(Array.from({ length: 40 }, read));
  for (const { error, ms } of outcomes) {
    expect(error).toBeUndefined();
    expect(ms).toBeLessThan(5_000);
  }
  await until("the pool to come to rest", () => underWay(pool) === 0);
});

test("a network that resets every connection costs no write its certainty", async () => {
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE acknowledged (id int)");
  const acknowledged: number[] = [];
  const unknown: number[] = [];
  let isOver = false;
  const writers = Array.from({ length: 8 }, async (_, worker) => {
    for (let i = 0; !isOver; i += 1) {
      const id = worker * 100_000 + i;
      const { error } = await settle(pool.query("INSERT INTO acknowledged VALUES ($1)", [id]));
      if (error === undefined) acknowledged.push(id);
      else {
        expect(error).toBeInstanceOf(CommitUnknownError);
        unknown.push(id);
      }
    }
  });
  for (let i = 0; i < 20; i += 1) {
    const before = acknowledged.length;
    cluster.primary().proxy.dropConnections();
    await until("writes to go on", () => acknowledged.length > before + 20);
  }
  isOver = true;
  await Promise.all(writers);
  const rows = await cluster
    .primary()
    .query<{ id: number; count: number }>("SELECT id, count(*)::int FROM acknowledged GROUP BY id");
  const found = new Map(rows.map(({ id, count }) => [id, count]));
  for (const id of acknowledged) expect(found.get(id)).toBe(1);
  for (const id of unknown) expect(found.get(id) ?? 0).toBeLessThanOrEqual(1);
  expect(pool.stats()).toMatchObject({ failovers: 0, commitUnknown: unknown.length });
});

test("a half-open line on which only questions get through is found out", async () => {
  await using pool = openPool(cluster);
  await pool.query("INSERT INTO letter VALUES (30)");
  const old = cluster.primary();
  await old.proxy.halfOpen("up");
  const error = await rejection(pool.query("INSERT INTO letter VALUES (31)"));
  expect(error).toBeInstanceOf(CommitUnknownError);
  await promoteMirror(cluster);
  await pool.query("INSERT INTO letter VALUES (32)");
  expect(await countRows(old, "letter", "id IN (31, 32)")).toBe(0);
});
