import type { FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { Client, Pool } from "@mirrorpool/pg";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { leases, nodeOf, openCore, prepareWhere, rejection, until } from "./support.ts";

let cluster: LabCluster;
let core: FailoverPool;
let pool: pg.Pool;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  await prepareWhere(cluster);
});
afterAll(() => cluster?.close());

beforeEach(async () => {
  // whatever was written, every read may go to a mirror: what is tested is the way of a checkout
  core = openCore(cluster, { routing: { consistency: "eventual" } });
  await core.start();
  await until("the mirror to be seen", () => core.topology().nodes.every(({ status }) => status === "up"));
  pool = new Pool({ mirrorpool: core });
  return async () => {
    await pool.end();
    await core.close();
  };
});

test("reads go to a mirror, writes and what is not certainly a read to the primary", async () => {
  expect(await nodeOf(cluster, pool)).toBe("mirror");
  await pool.query("CREATE TABLE IF NOT EXISTS routed (id int)");
  const { rows } = await pool.query("INSERT INTO routed VALUES (1) RETURNING current_setting('cluster_name') AS name");
  expect(rows).toEqual([{ name: cluster.primary().name }]);
  expect(await nodeOf(cluster, pool)).toBe("mirror");
});

test("a client that nobody has asked anything holds no connection", async () => {
  const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()]);
  expect(pool.totalCount).toBe(3);
  expect(leases(core)).toBe(0);
  for (const client of clients) client.release();
});

test("a client moves from the mirror to the primary with its first write, and stays there until it is released", async () => {
  const client = await pool.connect();
  expect(await nodeOf(cluster, client)).toBe("mirror");
  await client.query("CREATE TABLE IF NOT EXISTS routed (id int)");
  expect(await nodeOf(cluster, client)).toBe("primary");
  expect(await nodeOf(cluster, client)).toBe("primary");
  client.release();
  expect(leases(core)).toBe(0);
  const again = await pool.connect();
  expect(again).toBe(client);
  expect(await nodeOf(cluster, again)).toBe("mirror");
  again.release();
});

test("a transaction is on the primary from BEGIN to COMMIT, and its reads with it", async () => {
  const client = await pool.connect();
  await client.query("BEGIN");
  expect(await nodeOf(cluster, client)).toBe("primary");
  await client.query("COMMIT");
  client.release();
});

test("the session of a client that is not pooled lasts from connect to end", async () => {
  const client = new Client({ mirrorpool: core });
  await client.connect();
  expect(await nodeOf(cluster, client)).toBe("mirror");
  await client.query("CREATE TEMPORARY TABLE mine (id int)");
  await client.query("INSERT INTO mine VALUES (1)");
  expect((await client.query("SELECT * FROM mine")).rows).toEqual([{ id: 1 }]);
  await client.end();
  await until("the lease to end", () => leases(core) === 0);
  expect(core.stats().nodes[cluster.primary().name]?.closed).toBe(1);
});

test("an error of the database costs no connection", async () => {
  await pool.query("CREATE TABLE IF NOT EXISTS routed (id int)");
  const before = core.stats().nodes[cluster.primary().name];
  for (let i = 0; i < 20; i += 1) await pool.query("INSERT INTO routed VALUES (1/0)").catch(() => {});
  expect(core.stats().nodes[cluster.primary().name]).toMatchObject({ opened: before?.opened, closed: before?.closed });
});

test("a client that is released with an error gives up its connection, and with it what was running", async () => {
  const client = await pool.connect();
  await client.query("CREATE TABLE IF NOT EXISTS routed (id int)");
  const { closed = 0 } = core.stats().nodes[cluster.primary().name] ?? {};
  client.release(true);
  await until("the connection to be closed", () => core.stats().nodes[cluster.primary().name]?.closed === closed + 1);
  const busy = await pool.connect();
  const running = busy.query("SELECT 'abandoned', pg_sleep(60)").catch((error: unknown) => error);
  await until("the statement to run", () => leases(core) === 1);
  busy.release(true);
  expect(await running).toBeInstanceOf(Error);
  await until("the lease to end", () => leases(core) === 0);
});

test("who gets the client next finds a session as new: nothing set, nothing locked, and reads on a mirror again", async () => {
  const one = new Pool({ mirrorpool: core, max: 1 });
  await one.query("CREATE TABLE IF NOT EXISTS routed (id int)");
  const first = await one.connect();
  await first.query("SET work_mem = '8MB'");
  await first.query("INSERT INTO routed VALUES (2)");
  expect(await nodeOf(cluster, first)).toBe("primary");
  first.release();
  const second = await one.connect();
  expect(second).toBe(first);
  expect(await nodeOf(cluster, second)).toBe("mirror");
  expect((await second.query("SHOW work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
  await second.query("SELECT pg_advisory_lock(77)");
  second.release();
  const third = await one.connect();
  expect(third).toBe(first);
  expect(await nodeOf(cluster, third)).toBe("mirror");
  await until("the lock to be given back", async () => {
    const { rows } = await third.query<{ free: boolean }>("SELECT pg_try_advisory_xact_lock(77) AS free");
    return rows[0]?.free;
  });
  third.release();
  await one.end();
});

test("a transaction that is left open is rolled back with the release", async () => {
  await pool.query("CREATE TABLE IF NOT EXISTS left_open (id int)");
  const client = await pool.connect();
  await client.query("BEGIN");
  await client.query("INSERT INTO left_open VALUES (1)");
  client.release();
  await pool.query("LOCK TABLE left_open").catch(() => {});
  await until(
    "the transaction to end",
    async () =>
      (
        await cluster
          .primary()
          .query("SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'left_open'")
      ).length === 0,
  );
  expect((await core.query("SELECT * FROM left_open", [], { consistency: "strong" })).rows).toEqual([]);
});

test("statements given before the release, and not awaited, are run all the same", async () => {
  await pool.query("CREATE TABLE IF NOT EXISTS unawaited (id int)");
  const client = await pool.connect();
  const running = [1, 2, 3].map((id) => client.query("INSERT INTO unawaited VALUES ($1)", [id]));
  client.release();
  await Promise.all(running);
  expect((await core.query("SELECT count(*)::int FROM unawaited", [], { consistency: "strong" })).rows).toEqual([
    { count: 3 },
  ]);
  await client.query("INSERT INTO unawaited VALUES (4)");
  await until("the lease to end", () => leases(core) === 0);
});

test("max bounds the clients, and connectionTimeoutMillis the wait for one", async () => {
  const small = new Pool({ mirrorpool: core, max: 1, connectionTimeoutMillis: 100 });
  const client = await small.connect();
  expect(small.waitingCount).toBe(0);
  await expect(small.query("SELECT 1")).rejects.toThrow("timeout exceeded when trying to connect");
  client.release();
  await small.query("SELECT 1");
  await small.end();
});

test("a query_timeout ends the statement with an error that says what is known", async () => {
  // first: opening a connection may take as long as the timeout
  await pool.query("CREATE TABLE IF NOT EXISTS routed (id int)");
  const impatient = new Pool({ mirrorpool: core, query_timeout: 200 });
  await expect(impatient.query("INSERT INTO routed SELECT 1 FROM pg_sleep(60)")).rejects.toMatchObject({
    code: "COMMIT_UNKNOWN",
  });
  await expect(
    pool.query({
      text: "SELECT count(*) FROM routed, generate_series(1, 1000000000)",
      query_timeout: 200,
    } as pg.QueryConfig),
  ).rejects.toMatchObject({ code: "DEADLINE" });
  await impatient.end();
});

test("the stack of a database error leads to the application", async () => {
  async function application(): Promise<unknown> {
    return await pool.query("SELECT 1/0");
  }
  const error = await rejection(application());
  expect(error.stack).toContain("application (");
});
