import type { FailoverPool, PoolSession } from "@mirrorpool/core";
import { ReplayMismatchError, TransactionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { countRows, mend, notRunning, running } from "../failover/support/cluster.ts";
import { rejection } from "../failover/support/outcome.ts";
import { openPool } from "../failover/support/pool.ts";

let cluster: LabCluster;
let pool: FailoverPool;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 2, synchronous: true });
});
beforeEach(async () => {
  pool = openPool(cluster, { replay: {} });
  await pool.query("DROP TABLE IF EXISTS account");
  await pool.query("CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)");
  await pool.query("INSERT INTO account VALUES (1, 100), (2, 100)");
  await cluster.caughtUp();
});
afterEach(async () => {
  await pool.close();
  await mend(cluster);
});
afterAll(() => cluster.close());

async function failOver(): Promise<void> {
  await cluster.primary().kill();
  await cluster.promote(await cluster.mostAdvancedMirror());
}

async function balances(): Promise<number[]> {
  const rows = await cluster.primary().query<{ balance: number }>("SELECT balance FROM account ORDER BY id");
  return rows.map(({ balance }) => balance);
}

test("a transaction whose primary is killed goes on, on the new one, and the application notices nothing", async () => {
  const seen: unknown[] = [];
  await pool.transaction(async (tx) => {
    seen.push((await tx.query("UPDATE account SET balance = balance - 10 WHERE id = 1 RETURNING balance")).rows);
    await failOver();
    seen.push((await tx.query("UPDATE account SET balance = balance + 10 WHERE id = 2 RETURNING balance")).rows);
  });
  expect(seen).toEqual([[{ balance: 90 }], [{ balance: 110 }]]);
  expect(await balances()).toEqual([90, 110]);
  expect(pool.stats()).toMatchObject({ replays: 1, transactionsLost: 0 });
});

test("a connection that was lost in the moment of an answer let the rest of its transaction commit without what came before", async () => {
  const primary = cluster.primary();
  await pool.transaction(async (tx) => {
    const debit = tx.query("UPDATE account SET balance = balance - 10 WHERE id = 1 RETURNING pg_sleep(0.2)::text");
    await running(primary, "pg_sleep");
    await primary.proxy.stall();
    await notRunning(primary, "pg_sleep");
    await primary.terminateBackends();
    await primary.proxy.heal(); // the answer and the end of the session arrive together
    await debit;
    await tx.query("UPDATE account SET balance = balance + 10 WHERE id = 2");
  });
  expect(await balances()).toEqual([90, 110]);
});

test("a second failover, before the first replay was of use, is survived as well", async () => {
  await pool.transaction(async (tx) => {
    await tx.query("UPDATE account SET balance = balance - 10 WHERE id = 1");
    await failOver();
    await tx.query("SELECT 1");
    await mend(cluster); // synchronous mirroring needs a mirror
    await failOver();
    await tx.query("UPDATE account SET balance = balance + 10 WHERE id = 2");
  });
  expect(await balances()).toEqual([90, 110]);
});

test("savepoints, isolation level, settings of the transaction and failed statements are replayed faithfully", async () => {
  await using session = await pool.connect();
  await session.query("BEGIN ISOLATION LEVEL REPEATABLE READ");
  await session.query("SET LOCAL search_path = public, pg_temp");
  await session.query("UPDATE account SET balance = 1 WHERE id = 1");
  await session.query("SAVEPOINT before_mistake");
  expect(await rejection(session.query("INSERT INTO account VALUES (1, 0)"))).toMatchObject({ code: "23505" });
  await session.query("ROLLBACK TO before_mistake");
  await failOver();
  const { rows } = await session.query(
    "SELECT current_setting('transaction_isolation') AS level, current_setting('search_path') AS path",
  );
  expect(rows).toEqual([{ level: "repeatable read", path: "public, pg_temp" }]);
  await session.query("COMMIT");
  expect(await balances()).toEqual([1, 100]);
});

test("what answers otherwise the second time is told, by its statement, and is safe to retry", async () => {
  const error = await rejection(
    pool.transaction(async (tx) => {
      await tx.query("UPDATE account SET balance = balance - 10 WHERE id = 1");
      await tx.query("SELECT gen_random_uuid() AS id");
      await failOver();
      await tx.query("UPDATE account SET balance = balance + 10 WHERE id = 2");
    }),
  );
  expect(error).toBeInstanceOf(ReplayMismatchError);
  expect(error).toMatchObject({ statement: 3, retryable: true });
  expect(await balances()).toEqual([100, 100]);
});

test("with retries the callback runs again where a replay did not match", async () => {
  await pool.transaction(
    async (tx) => {
      await tx.query("SELECT gen_random_uuid() AS id");
      if (pool.stats().failovers === 0) await failOver();
      await tx.query("UPDATE account SET balance = balance + 10 WHERE id = 2");
    },
    { retries: 1 },
  );
  expect(await balances()).toEqual([100, 110]);
});

test.each([
  ["an advisory lock", "SELECT pg_advisory_lock(7)", "cannot move"],
  ["a temporary table", "CREATE TEMP TABLE scratch (id int)", "cannot move"],
  ["LISTEN", "LISTEN news", "cannot move"],
])(
  "a transaction with %s goes on until the failover, and its error says why it cannot be replayed",
  async (_, statement, why) => {
    await using session: PoolSession = await pool.connect();
    await session.query("BEGIN");
    await session.query("UPDATE account SET balance = 0 WHERE id = 1");
    await session.query(statement);
    await session.query("SELECT 1");
    await failOver();
    const error = await rejection(session.query("SELECT 2"));
    expect(error).toBeInstanceOf(TransactionLostError);
    expect(String(error)).toContain(why);
    await session.query("ROLLBACK");
    expect(await balances()).toEqual([100, 100]);
  },
);

test("a transaction over the bound is not replayed, and says which bound", async () => {
  await using short = openPool(cluster, { replay: { maxStatements: 2 } });
  const error = await rejection(
    short.transaction(async (tx) => {
      await tx.query("UPDATE account SET balance = 0 WHERE id = 1");
      await tx.query("SELECT 1");
      await failOver();
      await tx.query("SELECT 2");
    }),
  );
  expect(error).toBeInstanceOf(TransactionLostError);
  expect(String(error)).toContain("more than 2 statements");
  expect(await countRows(cluster.primary(), "account", "balance = 0")).toBe(0);
});
