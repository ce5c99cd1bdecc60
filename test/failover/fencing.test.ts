import { CommitUnknownError, type FailoverPool, TransactionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { countRows, mend, promoteMirror, running } from "./support/cluster.ts";
import { rejection, settle } from "./support/outcome.ts";
import { openPool, type RecordedEvent, record } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE fact (id serial, told_by text)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

/** Freezes the primary and promotes a mirror. */
async function depose(): Promise<LabNode> {
  const old = cluster.primary();
  await old.freeze();
  await promoteMirror(cluster);
  return old;
}

function isFenced(events: readonly RecordedEvent[], node: LabNode): boolean {
  return events.some((event) => event.name === "node-fenced" && event.node === node.name);
}

async function writeMany(pool: FailoverPool, toldBy: string): Promise<void> {
  await Promise.all(Array.from({ length: 50 }, () => pool.query("INSERT INTO fact (told_by) VALUES ($1)", [toldBy])));
}

test("an old primary that wakes up is fenced for good and gets no write, under load", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await writeMany(pool, "before");
  await cluster.caughtUp();
  const old = await depose();
  const promoted = cluster.primary();
  await until("the pool to follow", () => pool.topology().primary === promoted.name);
  await writeMany(pool, "deposed");
  await old.thaw();
  let isOver = false;
  const load = (async () => {
    while (!isOver) await writeMany(pool, "after");
  })();
  await until("the old primary to be fenced", () => isFenced(events, old));
  await writeMany(pool, "after");
  isOver = true;
  await load;
  expect(events).toContainEqual({
    name: "node-fenced",
    node: old.name,
    reason: "superseded",
    timeline: expect.any(Number),
  });
  expect(pool.topology().primary).toBe(promoted.name);
  expect(await countRows(old, "fact", "told_by IN ('deposed', 'after')")).toBe(0);
  expect(await countRows(promoted, "fact", "told_by = 'deposed'")).toBe(50);
  expect(pool.stats()).toMatchObject({ failovers: 1, commitUnknown: 0 });
});

test("a transaction and a session that were open on the old primary never write to it again", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await using pinned = await pool.connect();
  await session.query("INSERT INTO fact (told_by) VALUES ('session')");
  await pinned.query("SELECT pg_advisory_lock(1)");
  await pinned.query("BEGIN");
  await pinned.query("INSERT INTO fact (told_by) VALUES ('pinned')");
  let old = cluster.primary();
  const transaction = settle(
    pool.transaction(async (tx) => {
      await tx.query("INSERT INTO fact (told_by) VALUES ('transaction')");
      old = await depose();
      await until("the pool to follow", () => pool.topology().primary === cluster.primary().name);
      await old.thaw();
      await tx.query("INSERT INTO fact (told_by) VALUES ('transaction')");
    }),
  );
  expect((await transaction).error).toBeInstanceOf(TransactionLostError);
  await session.query("INSERT INTO fact (told_by) VALUES ('session')");
  expect(await rejection(pinned.query("INSERT INTO fact (told_by) VALUES ('pinned')"))).toBeInstanceOf(
    TransactionLostError,
  );
  expect(await rejection(pinned.query("COMMIT"))).toBeInstanceOf(TransactionLostError);
  expect(await countRows(old, "fact", "told_by = 'session'")).toBe(1);
  expect(await countRows(old, "fact", "told_by IN ('pinned', 'transaction')")).toBe(0);
  expect(await countRows(cluster.primary(), "fact", "told_by = 'session'")).toBe(2);
});

test("a primary that is superseded while it still answers gets nothing more, not even the rest of a transaction", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  const old = cluster.primary();
  const write = settle(pool.query("INSERT INTO fact (told_by) SELECT 'slow' FROM pg_sleep(5)"));
  await running(old, "slow");
  const error = await rejection(
    pool.transaction(async (tx) => {
      await tx.query("INSERT INTO fact (told_by) VALUES ('cut')");
      await promoteMirror(cluster);
      await until("the old primary to be fenced", () => isFenced(events, old));
      await tx.query("INSERT INTO fact (told_by) VALUES ('cut')");
    }),
  );
  expect(error).toBeInstanceOf(TransactionLostError);
  expect((await write).error).toBeInstanceOf(CommitUnknownError);
  await writeMany(pool, "new");
  expect(await countRows(old, "fact", "told_by IN ('cut', 'new')")).toBe(0);
});

test("a new pool does not fall for an old primary that answers first", async () => {
  await depose();
  const old = cluster.nodes.find((node) => node.isFrozen) as LabNode;
  await old.thaw();
  // the new primary is the slowest to answer
  await cluster.primary().proxy.latency(20);
  await using pool = openPool(cluster);
  await writeMany(pool, "fresh pool");
  expect(await countRows(old, "fact", "told_by = 'fresh pool'")).toBe(0);
  expect(pool.topology().primary).toBe(cluster.primary().name);
});

test("an old primary that has rejoined as a mirror is used again, and may be promoted again", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await pool.start();
  const old = await depose();
  await until("the pool to follow", () => pool.topology().primary === cluster.primary().name);
  await writeMany(pool, "in between");
  await cluster.rejoin(old);
  await until("the old primary to be a mirror in use", () =>
    pool
      .topology()
      .nodes.some(({ id, role, fence, status }) => id === old.name && role === "mirror" && !fence && status === "up"),
  );
  await cluster.caughtUp();
  await cluster.primary().kill();
  await cluster.promote(old);
  await until("the pool to follow", () => pool.topology().primary === old.name);
  await writeMany(pool, "again");
  expect(pool.topology()).toMatchObject({ primary: old.name, epoch: 3 });
  expect(await countRows(old, "fact", "told_by = 'again'")).toBe(50);
  expect(events.filter(({ name }) => name === "primary-changed")).toHaveLength(3);
});

test("reads do not go to an old primary that woke up", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await pool.start();
  const old = await depose();
  await old.thaw();
  await until("the old primary to be fenced", () => isFenced(events, old));
  await pool.query("INSERT INTO fact (told_by) VALUES ('newest')");
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => pool.query("SELECT DISTINCT told_by FROM fact WHERE told_by = 'newest'")),
  );
  for (const { rows } of answers) expect(rows).toEqual([{ told_by: "newest" }]);
});
