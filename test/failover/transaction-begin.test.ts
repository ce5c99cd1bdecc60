import { NoPrimaryError, TransactionLostError } from "@mirrorpool/core";
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
  await pool.query("CREATE TABLE account (id int PRIMARY KEY)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

test("a failover between BEGIN and the first statement is none to the application: nothing was sent", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  await using session = await pool.connect();
  await session.query("BEGIN");
  await cluster.primary().kill();
  const promoted = await promoteMirror(cluster);
  await session.query("INSERT INTO account VALUES (1)");
  await session.query("COMMIT");
  expect(await countRows(promoted, "account", "id = 1")).toBe(1);
  expect(pool.stats()).toMatchObject({ transactionsLost: 0, commitUnknown: 0 });
});

test("a first statement in flight when the primary is killed runs again with its BEGIN, also without replay", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  const first = settle(session.query("INSERT INTO account SELECT 10 FROM pg_sleep(0.5)"));
  await running(cluster.primary(), "SELECT 10");
  await cluster.primary().kill();
  const promoted = await promoteMirror(cluster);
  expect((await first).error).toBeUndefined();
  expect((await session.query("SHOW transaction_isolation")).rows).toEqual([
    { transaction_isolation: "repeatable read" },
  ]);
  await session.query("COMMIT");
  expect(await countRows(promoted, "account", "id = 10")).toBe(1);
  expect(pool.stats()).toMatchObject({ reruns: 1, transactionsLost: 0 });
});

test("a first statement on a server that has lost its answer has one effect", async () => {
  await using pool = openPool(cluster, { replay: {} });
  const primary = cluster.primary();
  await pool.query("SELECT pg_backend_pid()");
  await using session = await pool.connect();
  await session.query("BEGIN");
  await primary.proxy.cutAfter(0, "down");
  const first = settle(session.query("INSERT INTO account VALUES (20)"));
  await until("the loss to be seen", () => pool.stats().reruns > 0);
  await primary.proxy.heal();
  expect((await first).error).toBeUndefined();
  await session.query("COMMIT");
  expect(await countRows(cluster.primary(), "account", "id = 20")).toBe(1);
});

test("a first statement without a primary in time leaves a transaction that takes nothing but ROLLBACK", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  await using session = await pool.connect();
  await session.query("BEGIN");
  await cluster.primary().kill();
  await until("the loss to be seen", () => pool.topology().primary === undefined);
  const statement = session.query("INSERT INTO account VALUES (30)", [], { timeoutMs: 50 });
  expect(await rejection(statement)).toBeInstanceOf(NoPrimaryError);
  const promoted = await promoteMirror(cluster);
  expect(session.transactionStatus).toBe("failed");
  expect(await rejection(session.query("INSERT INTO account VALUES (31)"))).toBeInstanceOf(TransactionLostError);
  expect(await rejection(session.query("SELECT 1"))).toBeInstanceOf(TransactionLostError);
  expect(await session.query("ROLLBACK")).toMatchObject({ command: "ROLLBACK" });
  await session.query("INSERT INTO account VALUES (32)");
  expect(await countRows(promoted, "account", "id BETWEEN 30 AND 31")).toBe(0);
});

test("a transaction() without a primary in time ends with the error that says so", async () => {
  await using pool = openPool(cluster, { timeouts: { failoverMs: 50 } });
  await pool.start({ timeoutMs: 10_000 });
  await cluster.primary().kill();
  await until("the loss to be seen", () => pool.topology().primary === undefined);
  const error = await rejection(pool.transaction((tx) => tx.query("SELECT 1"), { retries: 3 }));
  expect(error).toBeInstanceOf(NoPrimaryError);
});

test("a first statement that a deadline ended has no effect, and COMMIT says that the transaction is lost", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("BEGIN");
  const statement = session.query("INSERT INTO account SELECT 40 FROM pg_sleep(10)", [], { timeoutMs: 100 });
  expect(await rejection(statement)).toMatchObject({ code: "DEADLINE" });
  expect(session.transactionStatus).toBe("failed");
  expect(await rejection(session.query("COMMIT"))).toBeInstanceOf(TransactionLostError);
  await session.query("INSERT INTO account VALUES (41)");
  expect(await countRows(cluster.primary(), "account", "id = 40")).toBe(0);
  await until("its connection to be given up", () =>
    Object.values(pool.stats().nodes).some(({ inUse }) => inUse === 1),
  );
});

test("a transaction that has only begun goes on during a pause, which waits for it", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("BEGIN");
  const paused = settle(pool.pause({ timeoutMs: 10_000 }));
  await until("new work to be held", () => pool.topology().hold === "all");
  await session.query("INSERT INTO account VALUES (50)");
  expect(await Promise.race([paused.then(() => "paused"), Promise.resolve("waiting")])).toBe("waiting");
  await session.query("COMMIT");
  expect((await paused).error).toBeUndefined();
});

test.each(["COMMIT", "ROLLBACK", undefined])(
  "a transaction without a statement that ends with %s holds up no pause",
  async (end) => {
    await using pool = openPool(cluster);
    const session = await pool.connect();
    await session.query("BEGIN");
    if (end !== undefined) await session.query(end);
    else session.release();
    await pool.pause({ timeoutMs: 10_000 });
    session.release();
    expect(Object.values(pool.stats().nodes).every(({ inUse }) => inUse === 0)).toBe(true);
  },
);

test("a BEGIN without a primary in time is the error that says so, and begins nothing", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  await using session = await pool.connect();
  await cluster.primary().kill();
  await until("the loss to be seen", () => pool.topology().primary === undefined);
  expect(await rejection(session.query("BEGIN", [], { timeoutMs: 50 }))).toBeInstanceOf(NoPrimaryError);
  expect(session.transactionStatus).toBe("none");
});

test("a first statement that the server undoes in a conflict is run again with its BEGIN", async () => {
  await using pool = openPool(cluster, { retryOnConflict: 10 });
  await pool.query("INSERT INTO account SELECT generate_series(60, 61)");
  await using one = await pool.connect();
  await using other = await pool.connect();
  await one.query("BEGIN");
  await one.query("SELECT FROM account WHERE id = 60 FOR UPDATE");
  await other.query("BEGIN");
  // each waits for the other: the server undoes one of them, and only the one that has answered nothing may be run again
  const late = settle(
    other.query(
      "WITH a AS MATERIALIZED (SELECT FROM account WHERE id = 61 FOR UPDATE), b AS MATERIALIZED (SELECT pg_sleep(0.2) FROM a) SELECT FROM b, account WHERE id = 60 FOR UPDATE OF account",
    ),
  );
  await running(cluster.primary(), "MATERIALIZED");
  const early = settle(one.query("SELECT FROM account WHERE id = 61 FOR UPDATE"));
  const outcomes = await Promise.all([early, one.query("ROLLBACK").then(() => late)]);
  expect(outcomes.filter(({ error }) => error !== undefined).length).toBeLessThanOrEqual(1);
  expect(outcomes[1].error).toBeUndefined();
  await other.query("COMMIT");
});
