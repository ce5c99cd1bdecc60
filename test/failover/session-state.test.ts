import { CommitUnknownError, SessionLostError, TransactionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { countRows, mend, promoteMirror, running } from "./support/cluster.ts";
import { rejection, settle } from "./support/outcome.ts";
import { openPool } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE note (id int)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

async function failOver(): Promise<void> {
  await cluster.primary().kill();
  await promoteMirror(cluster);
}

const states: readonly (readonly [string, string])[] = [
  ["an advisory lock", "SELECT pg_advisory_lock(7)"],
  ["a temporary table", "CREATE TEMPORARY TABLE scratch (id int)"],
  ["a temporary table made by a query", "SELECT 1 AS id INTO TEMP scratch2"],
  ["a subscription", "LISTEN news"],
  ["a cursor", "DECLARE c CURSOR WITH HOLD FOR SELECT 1"],
];

test.each(states)(
  "a session that loses %s with its node says so at the next use, and is usable again",
  async (_, sql) => {
    await using pool = openPool(cluster);
    await using session = await pool.connect();
    await session.query(sql);
    const lost = cluster.primary().name;
    await failOver();
    const error = await rejection(session.query("SELECT 1 AS one"));
    expect(error).toBeInstanceOf(SessionLostError);
    expect(error).toMatchObject({ code: "SESSION_LOST", node: lost, retryable: false });
    expect((await session.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    await session.query("INSERT INTO note VALUES (1)");
  },
);

test("a statement that fails and has locked all the same leaves no lock to the next session", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 } });
  expect(
    await rejection(pool.query("SELECT 1 / (id - id) FROM (SELECT 1 AS id, pg_advisory_lock(12)) AS x")),
  ).toMatchObject({
    code: "22012",
  });
  const locks = await until("the lock to be free", async () => {
    const rows = await cluster.primary().query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'");
    return rows.length === 0 ? "none" : undefined;
  });
  expect(locks).toBe("none");
});

test("a write is not run by a session that has lost its state, before the application knows", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("SELECT pg_advisory_lock(8)");
  await failOver();
  expect(await rejection(session.query("INSERT INTO note VALUES (8)"))).toBeInstanceOf(SessionLostError);
  expect(await countRows(cluster.primary(), "note", "id = 8")).toBe(0);
});

test("a read in flight is not moved away from a session's state", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("SELECT pg_advisory_lock(13)");
  const read = settle(session.query("SELECT 'pinned', pg_sleep(30)"));
  await running(cluster.primary(), "pinned");
  await failOver();
  expect((await read).error).toBeInstanceOf(SessionLostError);
});

test("a session that has lost its state with a write in flight says both, one after the other", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("SELECT pg_advisory_lock(9)");
  const write = settle(session.query("INSERT INTO note SELECT 9 FROM pg_sleep(30)"));
  await running(cluster.primary(), "SELECT 9");
  await failOver();
  expect((await write).error).toBeInstanceOf(CommitUnknownError);
  expect(await rejection(session.query("INSERT INTO note VALUES (10)"))).toBeInstanceOf(SessionLostError);
  await session.query("INSERT INTO note VALUES (11)");
  expect(await countRows(cluster.primary(), "note", "id = 10")).toBe(0);
});

test("a session that has lost its state with its transaction says both, one after the other", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("LISTEN news");
  await session.query("BEGIN");
  await session.query("INSERT INTO note VALUES (12)");
  await failOver();
  expect(await rejection(session.query("SELECT 1"))).toBeInstanceOf(TransactionLostError);
  await session.query("ROLLBACK");
  expect(await rejection(session.query("SELECT 1"))).toBeInstanceOf(SessionLostError);
  expect((await session.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
});

test("a session whose connection had to be cut at a deadline says at the next use that its state is lost", async () => {
  // the deadline comes first: a node that was found down would have cut the connection itself, and said so already
  await using pool = openPool(cluster, { monitor: { misses: 20, probeTimeoutMs: 60_000 } });
  await using session = await pool.connect();
  await session.query("SELECT pg_advisory_lock(10)");
  const primary = cluster.primary();
  await primary.proxy.halfOpen("down");
  // long enough to have been sent
  const late = await rejection(session.query("SELECT 1", [], { timeoutMs: 1_000 }));
  expect(late).toMatchObject({ code: "DEADLINE" });
  await until("the connection to be given up", () => pool.stats().nodes[primary.name]?.inUse === 0);
  await primary.proxy.heal();
  expect(await rejection(session.query("SELECT 1"))).toBeInstanceOf(SessionLostError);
});

test("the state of a session never reaches the next user of a connection", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 } });
  {
    await using session = await pool.connect();
    await session.query("SET work_mem = '8MB'");
    await session.query("SELECT pg_advisory_lock(11)");
  }
  await using session = await pool.connect();
  await session.query("INSERT INTO note VALUES (20)");
  expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
  const free = await session.query<{ free: boolean }>("SELECT pg_try_advisory_lock(11) AS free");
  expect(free.rows).toEqual([{ free: true }]);
});

test("a session without state moves from the old primary to the new one between two statements", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("INSERT INTO note VALUES (30)");
  await failOver();
  await session.query("INSERT INTO note VALUES (31)");
  expect(await countRows(cluster.primary(), "note", "id = 31")).toBe(1);
});
