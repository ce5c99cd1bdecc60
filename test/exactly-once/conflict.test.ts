import type { FailoverPool, PoolOptions, PoolSession, Transaction } from "@mirrorpool/core";
import { ReplayMismatchError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { LATE_MS, rejection, settle } from "../failover/support/outcome.ts";
import { openPool } from "../failover/support/pool.ts";
import { until } from "../failover/support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  await using pool = open();
  await pool.query(pool.ledgerSchema());
  await pool.query("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)");
  await pool.query("CREATE SEQUENCE attempt");
  await pool.query(`CREATE FUNCTION conflict() RETURNS int LANGUAGE plpgsql AS
    'BEGIN PERFORM nextval(''attempt''); RAISE EXCEPTION USING ERRCODE = ''40001''; END'`);
});
beforeEach(async () => {
  await using pool = open();
  await pool.query("TRUNCATE account");
  await pool.query("INSERT INTO account VALUES (1, 100), (2, 100)");
  await pool.query("SELECT setval('attempt', 1, false)");
});
afterAll(() => cluster?.close());

function open(options: Partial<PoolOptions> = {}): FailoverPool {
  return openPool(cluster, { replay: {}, ...options });
}

async function balances(): Promise<number[]> {
  const rows = await cluster.primary().query<{ balance: number }>("SELECT balance FROM account ORDER BY id");
  return rows.map(({ balance }) => balance);
}

async function attempts(): Promise<number> {
  const [row] = await cluster.primary().query<{ count: number }>("SELECT last_value::int AS count FROM attempt");
  return row?.count ?? 0;
}

/** A session that waits for a lock. */
async function waiting(): Promise<void> {
  await until("a session to wait for a lock", async () => {
    const rows = await cluster.primary().query("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'");
    return rows.length > 0 ? true : undefined;
  });
}

/** Two serializable transactions, each of which reads what the other one writes: one of them cannot be. */
async function skew(pool: FailoverPool, read: string): Promise<unknown[]> {
  let meet = (): void => {};
  const both = new Promise<void>((resolve) => {
    meet = resolve;
  });
  let arrived = 0;
  const work =
    (own: number, other: number) =>
    async (tx: Transaction): Promise<void> => {
      await tx.query(`SELECT ${read} FROM account WHERE id = $1`, [other]);
      await tx.query("UPDATE account SET balance = balance + 1 WHERE id = $1", [own]);
      arrived += 1;
      if (arrived >= 2) meet();
      await both;
    };
  const outcomes = await Promise.all([
    settle(pool.transaction(work(1, 2), { isolation: "serializable" })),
    settle(pool.transaction(work(2, 1), { isolation: "serializable" })),
  ]);
  return outcomes.flatMap(({ error }) => (error === undefined ? [] : [error]));
}

test("without the option a conflict is the application's to see", async () => {
  await using pool = open();
  expect(await skew(pool, "count(*)::int AS count")).toMatchObject([{ code: "40001" }]);
  expect((await balances()).sort()).toEqual([100, 101]);
});

test.each([false, true])("a transaction refused at its COMMIT is run again, with a ledger: %s", async (exactlyOnce) => {
  await using pool = open({ retryOnConflict: 5, exactlyOnce });
  expect(await skew(pool, "count(*)::int AS count")).toEqual([]);
  expect(await balances()).toEqual([101, 101]);
  expect(pool.stats().conflicts).toBeGreaterThan(0);
});

test("a transaction that would have been told otherwise says so, had no effect, and is safe to retry", async () => {
  await using pool = open({ retryOnConflict: 5 });
  const errors = await skew(pool, "balance");
  expect(errors).toHaveLength(1);
  expect(errors[0]).toBeInstanceOf(ReplayMismatchError);
  expect(errors[0]).toMatchObject({ retryable: true, statement: 2 });
  expect((await balances()).sort()).toEqual([100, 101]);
});

test("of two transactions in a deadlock both succeed", async () => {
  await using pool = open({ retryOnConflict: 5 });
  await using one = await pool.connect();
  await using other = await pool.connect();
  const take = (session: PoolSession, id: number): Promise<unknown> =>
    session.query("UPDATE account SET balance = balance + 1 WHERE id = $1", [id]);
  for (const session of [one, other]) await session.query("BEGIN");
  await take(one, 1);
  await take(other, 2);
  const first = take(one, 2).then(() => one.query("COMMIT"));
  await waiting();
  const second = take(other, 1).then(() => other.query("COMMIT"));
  await Promise.all([first, second]);
  expect(await balances()).toEqual([102, 102]);
  expect(pool.stats()).toMatchObject({ conflicts: 1, replays: 1 });
});

test("a transaction that is run again has what its session has set, before it and in it", async () => {
  await using pool = open({ retryOnConflict: 5 });
  await using session = await pool.connect();
  await session.query("SET work_mem = '5MB'");
  await session.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  await session.query("SELECT count(*) FROM account");
  await session.query("SET statement_timeout = '50s'");
  await pool.query("UPDATE account SET balance = balance + 1 WHERE id = 1");
  await session.query("UPDATE account SET balance = balance + 1 WHERE id = 1");
  const look = "SELECT current_setting('work_mem') AS memory, current_setting('statement_timeout') AS timeout";
  expect((await session.query(look)).rows).toEqual([{ memory: "5MB", timeout: "50s" }]);
  await session.query("COMMIT");
  expect((await session.query(look)).rows).toEqual([{ memory: "5MB", timeout: "50s" }]);
  expect(await balances()).toEqual([102, 100]);
});

test("a single statement that met a conflict is run again", async () => {
  await using pool = open({ retryOnConflict: 5 });
  await using session = await pool.connect();
  await session.query("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  await using rival = await pool.connect();
  await rival.query("BEGIN");
  await rival.query("UPDATE account SET balance = balance + 1 WHERE id = 1");
  const write = session.query("UPDATE account SET balance = balance + 1 WHERE id = 1");
  await waiting();
  await rival.query("COMMIT");
  expect((await write).rowCount).toBe(1);
  expect(await balances()).toEqual([102, 100]);
  expect(pool.stats().conflicts).toBe(1);
});

test.each([
  ["a single statement", false],
  ["a transaction", true],
])("the error is shown when %s meets conflicts again and again", async (_, isTransaction) => {
  await using pool = open({ retryOnConflict: 3 });
  const work = isTransaction
    ? pool.transaction(async (tx) => {
        await tx.query("UPDATE account SET balance = 0");
        await tx.query("SELECT conflict()");
      })
    : pool.query("SELECT conflict()");
  expect(await rejection(work)).toMatchObject({ code: "40001" });
  expect(await attempts()).toBe(4);
  expect(await balances()).toEqual([100, 100]);
});

test("conflicts end with the caller's deadline", async () => {
  await using pool = open({ retryOnConflict: 100 });
  await pool.query("SELECT 1"); // a connection is there
  const { error, ms } = await settle(pool.query("SELECT conflict()", [], { timeoutMs: 300 }));
  expect(error).toMatchObject({ code: "DEADLINE" });
  expect(ms).toBeLessThan(300 + LATE_MS);
});
