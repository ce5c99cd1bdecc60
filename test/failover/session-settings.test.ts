import type { PoolSession } from "@mirrorpool/core";
import { CommitUnknownError, SessionLostError, TransactionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { countRows, mend, notRunning, promoteMirror, running } from "./support/cluster.ts";
import { rejection, settle } from "./support/outcome.ts";
import { openPool, underWay } from "./support/pool.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE note (id int)");
  await pool.query("CREATE SCHEMA elsewhere");
  await pool.query("CREATE TABLE elsewhere.thing AS SELECT 'elsewhere' AS place");
  await pool.query("CREATE TABLE deferred (id int)");
  await pool.query(
    `CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(30); RETURN NULL; END'`,
  );
  await pool.query(
    "CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION slow()",
  );
  await cluster.primary().query("CREATE ROLE clerk");
  await cluster.primary().query("GRANT clerk TO app");
  await cluster.primary().query("GRANT USAGE ON SCHEMA elsewhere TO clerk");
  await cluster.primary().query("GRANT ALL ON note, elsewhere.thing TO clerk");
  await cluster.caughtUp();
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

async function failOver(): Promise<void> {
  await cluster.primary().kill();
  await promoteMirror(cluster);
}

/** Settings, how each is looked at, and what is seen then. */
const settings: readonly (readonly [what: string, sql: string, look: string, seen: Record<string, unknown>])[] = [
  ["a setting", "SET statement_timeout = '7s'", "SHOW statement_timeout", { statement_timeout: "7s" }],
  ["a search path", "SET search_path = elsewhere, public", "SELECT place FROM thing", { place: "elsewhere" }],
  ["a time zone", "SET TIME ZONE 'Asia/Tokyo'", "SHOW timezone", { TimeZone: "Asia/Tokyo" }],
  ["a role", "SET ROLE clerk", "SELECT current_user::text AS name", { name: "clerk" }],
  [
    "a default of transactions",
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "SHOW transaction_isolation",
    { transaction_isolation: "repeatable read" },
  ],
  [
    "a setting made by a function",
    "SELECT set_config('app.tenant', 'it''s; \\ mine', false)",
    "SELECT current_setting('app.tenant') AS tenant",
    { tenant: "it's; \\ mine" },
  ],
  ["several settings in one text", "SET work_mem = '7MB'; SET TIME ZONE 'UTC'", "SHOW work_mem", { work_mem: "7MB" }],
  ["a prepared statement", "PREPARE plan AS SELECT 7 AS answer", "EXECUTE plan", { answer: 7 }],
];

test.each(settings)("a session keeps %s over a failover, and notices nothing", async (_, sql, look, seen) => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query(sql);
  await failOver();
  expect((await session.query(look)).rows).toEqual([seen]);
  await session.query("INSERT INTO public.note VALUES (1)");
});

test.each(settings)("a transaction that has set %s is replayed with it", async (_, sql, look, seen) => {
  await using pool = openPool(cluster, { replay: {} });
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO public.note VALUES (2)");
  await session.query(sql);
  // the level of an open transaction is not that of the next one
  const isOfTransaction = look.includes("isolation");
  await failOver();
  if (!isOfTransaction) expect((await session.query(look)).rows).toEqual([seen]);
  await session.query("COMMIT");
  expect((await session.query(look)).rows).toEqual([seen]);
  expect(pool.stats().replays).toBe(1);
});

test.each(settings)(
  "a transaction on a session that has set %s before is replayed with it",
  async (_, sql, look, seen) => {
    await using pool = openPool(cluster, { replay: {} });
    await using session = await pool.connect();
    await session.query(sql);
    await session.query("BEGIN");
    await session.query("INSERT INTO public.note VALUES (3)");
    await failOver();
    expect((await session.query(look)).rows).toEqual([seen]);
    await session.query("COMMIT");
    expect(pool.stats().replays).toBe(1);
  },
);

test.each(settings)("%s of one session is never another's", async (_, sql, look, seen) => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 } });
  const leaves: readonly ((session: PoolSession) => Promise<unknown>)[] = [
    async () => undefined,
    (session) => session.query("INSERT INTO public.note VALUES (4)"),
    (session) => rejection(session.query("INSERT INTO nowhere VALUES (1)")),
    (session) => session.query("BEGIN"),
    async (session) => {
      await session.query("BEGIN");
      await rejection(session.query("SELECT 1 / 0"));
      await session.query("ROLLBACK");
    },
    // given back while its statement runs
    async (session) => void settle(session.query("SELECT pg_sleep(0.05)")),
  ];
  for (const leave of leaves) {
    const first = await pool.connect();
    await first.query(sql);
    await leave(first);
    first.release();
    await using next = await pool.connect();
    const { value } = await settle(next.query(look));
    expect(value?.rows ?? []).not.toEqual([seen]);
  }
});

test("the settings of a session are those of its whole connection, to the last one", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 } });
  const all = "SELECT name, setting FROM pg_settings ORDER BY name";
  const who = "SELECT session_user::text, current_user::text, current_setting('role') AS role";
  const prepared = "SELECT name FROM pg_prepared_statements";
  const [fresh, freshUser] = [(await pool.query(all)).rows, (await pool.query(who)).rows];
  {
    await using session = await pool.connect();
    for (const [, sql] of settings) await session.query(sql);
    await session.query("RESET ROLE");
    await session.query("SET default_transaction_read_only = on");
    await session.query("SET ROLE clerk");
  }
  await using next = await pool.connect();
  await next.query("SET work_mem = '6MB'");
  const changed = { name: "work_mem", setting: "6144" };
  const expected = fresh.map((row) => (row["name"] === "work_mem" ? changed : row));
  expect((await next.query(all)).rows).toEqual(expected);
  expect((await next.query(who)).rows).toEqual(freshUser);
  expect((await next.query(prepared)).rows).toEqual([]);
});

test("sessions that set the same share a connection without setting it again", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 } });
  const one = await pool.connect();
  await one.query("INSERT INTO note VALUES (5)");
  await one.query("SET work_mem = '5MB'");
  const other = await pool.connect();
  one.release();
  await other.query("INSERT INTO note VALUES (5)");
  await other.query("SET work_mem = '5MB'");
  other.release();
  expect(pool.stats().statesCarried).toBe(1);
  expect(pool.stats().nodes[cluster.primary().name]).toMatchObject({ opened: 1 });
});

test("what a transaction has set is undone with it, on this connection and on the next one", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("SET work_mem = '5MB'");
  await session.query("BEGIN");
  await session.query("SET work_mem = '6MB'");
  await session.query("ROLLBACK");
  expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: "5MB" }]);
  await failOver();
  expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: "5MB" }]);
  await session.query("BEGIN");
  await session.query("SET work_mem = '6MB'");
  await rejection(session.query("SELECT 1 / 0"));
  expect((await session.query("COMMIT")).command).toBe("ROLLBACK");
  await mend(cluster);
  await failOver();
  expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: "5MB" }]);
});

test("what was set since a savepoint is undone by the rollback to it, on the next connection as well", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("SET work_mem = '5MB'");
  await session.query("SAVEPOINT one");
  await session.query("SET work_mem = '6MB'");
  await session.query("SAVEPOINT two");
  await session.query("SET work_mem = '7MB'; SET TIME ZONE 'Asia/Tokyo'");
  await session.query("ROLLBACK TO one");
  await session.query("SET extra_float_digits = 0");
  await session.query("COMMIT");
  await failOver();
  const { rows } = await session.query(
    "SELECT current_setting('work_mem') AS memory, current_setting('extra_float_digits') AS digits, current_setting('timezone') <> 'Asia/Tokyo' AS is_home",
  );
  expect(rows).toEqual([{ memory: "5MB", digits: "0", is_home: true }]);
});

test("a statement prepared in a transaction that was rolled back is still there, as on PostgreSQL itself", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("PREPARE plan (int) AS SELECT $1 + 1 AS next");
  await session.query("ROLLBACK");
  await failOver();
  expect((await session.query("EXECUTE plan (1)")).rows).toEqual([{ next: 2 }]);
  await session.query("DEALLOCATE plan");
  expect(await rejection(session.query("EXECUTE plan (1)"))).toMatchObject({ code: "26000" });
});

test("statements that the library prepares by name work on every connection", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 } });
  await using session = await pool.connect();
  const named = { name: "double", text: "SELECT $1::int * 2 AS twice FROM pg_catalog.pg_class LIMIT 1" };
  expect((await session.query(named, [2])).rows).toEqual([{ twice: 4 }]);
  await session.query("SET work_mem = '5MB'");
  await failOver();
  expect((await session.query(named, [3])).rows).toEqual([{ twice: 6 }]);
  await session.query("DISCARD ALL");
  expect((await session.query(named, [4])).rows).toEqual([{ twice: 8 }]);
  expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
  await session.query("DEALLOCATE ALL");
  expect((await session.query(named, [5])).rows).toEqual([{ twice: 10 }]);
});

test("reads of a session with settings go to mirrors, and have them there", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("SET search_path = elsewhere, public");
  await session.query("SELECT set_config('app.tenant', $1, false)", ["t1"]);
  const before = pool.stats().nodes[cluster.primary().name]?.opened ?? 0;
  expect((await session.query("SELECT place FROM thing")).rows).toEqual([{ place: "elsewhere" }]);
  expect(pool.stats().nodes[cluster.primary().name]?.opened ?? 0).toBe(before);
  await session.query("INSERT INTO note VALUES (6)");
  const { rows } = await session.query(
    "SELECT pg_is_in_recovery() AS mirror, current_setting('app.tenant') AS tenant, current_setting('search_path') AS path",
  );
  expect(rows).toEqual([{ mirror: false, tenant: "t1", path: "elsewhere, public" }]);
  expect(pool.stats().misrouted).toBe(0);
});

test("a session that sets what cannot be carried does so on the primary, and keeps it there", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("SET work_mem = '5MB'");
  await session.query("SET seed = 0.5");
  await session.query("INSERT INTO note VALUES (72)");
  expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: "5MB" }]);
  await failOver();
  expect(await rejection(session.query("SHOW work_mem"))).toBeInstanceOf(SessionLostError);
});

test("reads of a session whose transactions are serializable are the primary's, since mirrors refuse them", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE");
  expect((await session.query("SELECT count(*)::int AS count FROM elsewhere.thing")).rows).toEqual([{ count: 1 }]);
});

test("a session that makes its transactions read-only is refused its writes, and the pool goes on with others", async () => {
  await using pool = openPool(cluster, { pool: { max: 2, warm: 0, validateAfterIdleMs: 0 } });
  {
    await using session = await pool.connect();
    await session.query("SET default_transaction_read_only = on");
    expect(await rejection(session.query("INSERT INTO note VALUES (7)"))).toMatchObject({ code: "25006" });
  }
  for (let index = 0; index < 5; index += 1) await pool.query("INSERT INTO note VALUES (71)");
  expect(pool.topology().primary).toBe(cluster.primary().name);
  expect(await countRows(cluster.primary(), "note", "id = 7")).toBe(0);
});

test("limits of a former session do not stand in the way of the next one", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 } });
  for (let index = 0; index < 10; index += 1) {
    await using session = await pool.connect();
    await session.query("INSERT INTO note VALUES (9)");
    await session.query("SET statement_timeout = 1");
    session.release();
    expect((await pool.query("SELECT 1 AS one, pg_sleep(0.02) FROM note LIMIT 1")).rows).toMatchObject([{ one: 1 }]);
  }
});

test("exactly-once writes of a session with settings are exactly once, and find their ledger", async () => {
  await using pool = openPool(cluster, { exactlyOnce: true, replay: {} });
  await pool.query(pool.ledgerSchema());
  await using session = await pool.connect();
  await session.query("SET search_path = elsewhere");
  const write = session.query("INSERT INTO public.note SELECT 50 FROM pg_sleep(1)");
  await running(cluster.primary(), "SELECT 50");
  await cluster.caughtUp();
  await failOver();
  await write;
  await session.query("BEGIN");
  await session.query("INSERT INTO public.note VALUES (51)");
  await session.query("COMMIT");
  expect(await countRows(cluster.primary(), "note", "id = 50")).toBe(1);
  expect(await countRows(cluster.primary(), "note", "id = 51")).toBe(1);
  expect((await session.query("SHOW search_path")).rows).toEqual([{ search_path: "elsewhere" }]);
});

test("what cannot be set up again is told, and the session is as new", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("CREATE TABLE passing (id int)");
  await session.query("SET work_mem = '5MB'");
  await session.query("PREPARE plan AS SELECT * FROM passing");
  await pool.query("DROP TABLE passing");
  await cluster.caughtUp();
  await failOver();
  const error = await rejection(session.query("SHOW work_mem"));
  expect(error).toBeInstanceOf(SessionLostError);
  expect(error).toMatchObject({ code: "SESSION_LOST", cause: { code: "42P01" } });
  expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
});

test("a transaction that AND CHAIN began is never replayed together with the one before it", async () => {
  await using pool = openPool(cluster, { replay: {} });
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO note VALUES (60)");
  await session.query("COMMIT AND CHAIN");
  await session.query("INSERT INTO note VALUES (61)");
  await cluster.caughtUp();
  await failOver();
  expect(await rejection(session.query("INSERT INTO note VALUES (62)"))).toBeInstanceOf(TransactionLostError);
  await session.query("ROLLBACK");
  expect(await countRows(cluster.primary(), "note", "id = 60")).toBe(1);
  expect(await countRows(cluster.primary(), "note", "id IN (61, 62)")).toBe(0);
});

test("a read in flight moves with the settings of its session", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("INSERT INTO note VALUES (70)");
  await session.query("SET search_path = elsewhere, public");
  const read = settle(session.query("SELECT 'moves', place, pg_sleep(1) FROM thing"));
  await running(cluster.primary(), "moves");
  await failOver();
  expect((await read).value?.rows).toMatchObject([{ place: "elsewhere" }]);
});

test("what a transaction has set is told as lost when nobody knows whether it has committed", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO deferred VALUES (1)");
  await session.query("SET work_mem = '6MB'");
  const commit = settle(session.query("COMMIT"));
  await running(cluster.primary(), "COMMIT");
  await failOver();
  expect((await commit).error).toBeInstanceOf(CommitUnknownError);
  expect(await rejection(session.query("SHOW work_mem"))).toBeInstanceOf(SessionLostError);
  expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
});

test("a session keeps its state when a deadline ends a statement that the server could cancel", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("SET work_mem = '9MB'");
  const error = await rejection(session.query("SELECT 'cancelled', pg_sleep(30)", [], { timeoutMs: 100 }));
  expect(error).toMatchObject({ code: "DEADLINE" });
  expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: "9MB" }]);
  await notRunning(cluster.primary(), "cancelled");
});

test("a single statement that makes session state leaves none behind", async () => {
  await using pool = openPool(cluster, { pool: { max: 1, warm: 0 } });
  await pool.query("SET work_mem = '8MB'");
  await pool.query("INSERT INTO note VALUES (21)");
  await using session = await pool.connect();
  await session.query("BEGIN");
  expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: "4MB" }]);
  await session.query("ROLLBACK");
  expect(underWay(pool)).toBe(1);
});
