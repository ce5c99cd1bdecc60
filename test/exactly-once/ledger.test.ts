import type { FailoverPool, PoolOptions } from "@mirrorpool/core";
import { CommitUnknownError, DeadlineError, LedgerMissingError, SessionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { countRows, mend, running } from "../failover/support/cluster.ts";
import { rejection } from "../failover/support/outcome.ts";
import { openPool } from "../failover/support/pool.ts";
import { until } from "../failover/support/until.ts";
import { makeLedger } from "./support.ts";

let cluster: LabCluster;
let pool: FailoverPool;

const open = (options: Partial<PoolOptions> = {}): FailoverPool =>
  openPool(cluster, { exactlyOnce: true, replay: {}, ...options });

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 2, synchronous: true });
  await makeLedger(cluster);
});
beforeEach(async () => {
  pool = open();
  await pool.start();
  await pool.query("DROP TABLE IF EXISTS entry");
  await pool.query("CREATE TABLE entry (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, note text)");
});
afterEach(async () => {
  await pool.close();
  await mend(cluster);
});
afterAll(() => cluster.close());

describe("the answer to token and COMMIT", () => {
  // "INSERT 0 1" and "COMMIT" with their headers, and ReadyForQuery
  const ANSWER_BYTES = 16 + 12 + 6;
  const cuts = Array.from({ length: ANSWER_BYTES + 1 }, (_, bytes) => bytes);

  test.each(cuts)("is cut after %i bytes: the outcome is right, and its effect exactly one", async (bytes) => {
    await using narrow = open({ pool: { max: 1, warm: 0 } });
    await using session = await narrow.connect();
    await session.query("BEGIN");
    await session.query("INSERT INTO entry VALUES ($1)", [bytes]);
    const primary = cluster.primary();
    await primary.proxy.cutAfter(bytes, "down");
    const commit = session.query("COMMIT");
    if (bytes < ANSWER_BYTES) {
      await until("the connection to be cut", () => primary.proxy.stats.connections.active === 0);
    }
    await primary.proxy.heal();
    expect(await commit).toMatchObject({ command: "COMMIT" });
    expect(await countRows(primary, "entry", `id = ${bytes}`)).toBe(1);
  });
});

test("a single write whose answer is lost is settled, and its result is the one that the server gave", async () => {
  const primary = cluster.primary();
  await primary.query(
    "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END'",
  );
  await primary.query(
    "CREATE CONSTRAINT TRIGGER held AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()",
  );
  const write = pool.query("INSERT INTO entry VALUES (1, 'held') RETURNING note");
  await running(primary, "COMMIT");
  primary.proxy.dropConnections();
  expect((await write).rows).toEqual([{ note: "held" }]);
  expect(await countRows(primary, "entry")).toBe(1);
  await primary.query("DROP FUNCTION hold CASCADE");
});

describe("a single write of a session that is tied to its connection", () => {
  test("is settled when its answer is lost; what the session has lost is told by its next statement", async () => {
    const former = cluster.primary();
    await using session = await pool.connect();
    await session.query("SELECT pg_advisory_lock(7)");
    await former.query(
      "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END'",
    );
    await former.query(
      "CREATE CONSTRAINT TRIGGER held AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION hold()",
    );
    const write = session.query("INSERT INTO entry VALUES (1, 'held') RETURNING note");
    await running(former, "COMMIT");
    former.proxy.dropConnections();
    expect((await write).rows).toEqual([{ note: "held" }]);
    expect(await countRows(former, "entry")).toBe(1);
    expect(await rejection(session.query("SELECT 1"))).toBeInstanceOf(SessionLostError);
    expect((await session.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    await former.query("DROP FUNCTION hold CASCADE");
  });

  test("that never arrived has no effect, and says that the session was lost", async () => {
    const former = cluster.primary();
    await using session = await pool.connect();
    await session.query("CREATE TEMPORARY TABLE own (id int)");
    await former.proxy.halfOpen("up");
    const write = rejection(session.query("INSERT INTO entry VALUES (1)"));
    await until("the write to disappear", () => former.proxy.stats.swallowedBytes.up > 0);
    await former.kill();
    await cluster.promote(await cluster.mostAdvancedMirror());
    expect(await write).toBeInstanceOf(SessionLostError);
    expect(await countRows(cluster.primary(), "entry")).toBe(0);
    expect(pool.stats().commitUnknown).toBe(0);
  });

  test("that is given up has no effect, and the session keeps what it has", async () => {
    await using session = await pool.connect();
    await session.query("CREATE TEMPORARY TABLE own (id int)");
    await session.query("INSERT INTO own VALUES (5)");
    const slow = session.query("INSERT INTO entry SELECT 1 FROM pg_sleep(60)", [], { timeoutMs: 300 });
    expect(await rejection(slow)).toBeInstanceOf(DeadlineError);
    expect((await session.query("SELECT id FROM own")).rows).toEqual([{ id: 5 }]);
    await session.query("INSERT INTO entry VALUES (2)");
    expect(await rejection(session.query("INSERT INTO entry VALUES (2)"))).toMatchObject({ code: "23505" });
    expect((await session.query("SELECT id FROM own")).rows).toEqual([{ id: 5 }]);
    expect(await countRows(cluster.primary(), "entry")).toBe(1);
    expect(pool.stats().nodes[cluster.primary().name]).toMatchObject({ closed: 0 });
  });
});

test("a COMMIT whose answer is lost with the primary is settled on the new one", async () => {
  const former = cluster.primary();
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO entry VALUES (1)");
  await former.proxy.halfOpen("down");
  const commit = session.query("COMMIT");
  await until("the commit to reach a mirror", async () => (await countRows(former, "entry")) === 1);
  await former.kill();
  await cluster.promote(await cluster.mostAdvancedMirror());
  expect(await commit).toMatchObject({ command: "COMMIT" });
  expect(await countRows(cluster.primary(), "entry")).toBe(1);
});

test("a COMMIT that never arrived is fenced, and the transaction is run again with one effect", async () => {
  const former = cluster.primary();
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO entry VALUES (1)");
  await former.proxy.halfOpen("up");
  const commit = session.query("COMMIT");
  await until("the COMMIT to disappear", () => former.proxy.stats.swallowedBytes.up > 0);
  await former.kill();
  await cluster.promote(await cluster.mostAdvancedMirror());
  expect(await commit).toMatchObject({ command: "COMMIT" });
  expect(await countRows(cluster.primary(), "entry")).toBe(1);
  expect(pool.stats()).toMatchObject({ replays: 1, commitUnknown: 0 });
});

test("a COMMIT that arrives late, on a server that did not fail, has no second effect", async () => {
  const primary = cluster.primary();
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO entry VALUES (1)");
  await primary.proxy.stall();
  const commit = session.query("COMMIT");
  await until("the pool to give the node up", () => pool.topology().primary === undefined);
  await primary.proxy.heal(); // what was held is delivered
  expect(await commit).toMatchObject({ command: "COMMIT" });
  await until("the old session to end", async () => {
    const [row] = await primary.query<{ count: number }>(
      "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'app' AND state LIKE 'idle in transaction%'",
    );
    return row?.count === 0;
  });
  expect(await countRows(primary, "entry")).toBe(1);
});

test("without a primary in time the outcome stays unknown, and is said to be", async () => {
  const former = cluster.primary();
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO entry VALUES (1)");
  await former.proxy.halfOpen("down");
  const commit = session.query("COMMIT", [], { timeoutMs: 2500 });
  expect(await rejection(commit)).toBeInstanceOf(CommitUnknownError);
});

test("a constraint that fails at COMMIT is the application's error, and nothing is committed", async () => {
  await pool.query("INSERT INTO entry VALUES (1)");
  expect(await rejection(pool.query("INSERT INTO entry VALUES (1)"))).toMatchObject({ code: "23505" });
  const doubled = pool.transaction(async (tx) => {
    await tx.query("INSERT INTO entry VALUES (2)");
    await tx.query("INSERT INTO entry VALUES (2)");
  });
  expect(await rejection(doubled)).toMatchObject({ code: "23505" });
  expect(await countRows(cluster.primary(), "entry")).toBe(1);
  expect(pool.stats().nodes[cluster.primary().name]).toMatchObject({ inUse: 0, closed: 0 });
});

test("a look at the catalogues needs no token, so that what makes the ledger may look whether it is there", async () => {
  await using other = open({ exactlyOnce: { table: "no_such_ledger" } });
  const look =
    "SELECT to_regclass('no_such_ledger') IS NULL AS is_missing, current_setting('search_path') FROM pg_class LIMIT 1";
  expect((await other.query(look)).rows[0]).toMatchObject({ is_missing: true });
  expect((await other.query("SHOW transaction_read_only")).rows).toEqual([{ transaction_read_only: "off" }]);
});

test("where the ledger's table is missing the error says what to run, and nothing is committed", async () => {
  await using other = open({ exactlyOnce: { table: "no_such_ledger" } });
  const error = await rejection(other.query("INSERT INTO entry VALUES (1)"));
  expect(error).toBeInstanceOf(LedgerMissingError);
  expect(String(error)).toContain('CREATE TABLE IF NOT EXISTS "public"."no_such_ledger"');
  expect(String(error)).toContain(other.ledgerSchema());
  const inTransaction = other.transaction((tx) => tx.query("INSERT INTO entry VALUES (2)"));
  expect(await rejection(inTransaction)).toBeInstanceOf(LedgerMissingError);
  expect(await countRows(cluster.primary(), "entry")).toBe(0);
});

test("a transaction that only reads leaves no token", async () => {
  const before = await countRows(cluster.primary(), "mirrorpool_ledger");
  await pool.transaction((tx) => tx.query("SELECT 1"));
  expect(await countRows(cluster.primary(), "mirrorpool_ledger")).toBe(before);
  await pool.transaction((tx) => tx.query("INSERT INTO entry VALUES (1)"));
  expect(await countRows(cluster.primary(), "mirrorpool_ledger")).toBe(before + 1);
});

test("what cannot run in a transaction block runs as it is", async () => {
  await pool.query("VACUUM entry");
  await pool.query("CREATE INDEX CONCURRENTLY entry_note ON entry (note)");
  expect(await countRows(cluster.primary(), "pg_indexes", "indexname = 'entry_note'")).toBe(1);
});
