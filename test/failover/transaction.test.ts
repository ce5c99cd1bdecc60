import { CommitUnknownError, TransactionAbortedError, TransactionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { countRows, mend, promoteMirror, running } from "./support/cluster.ts";
import { rejection, settle } from "./support/outcome.ts";
import { openPool, underWay } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE account (id int PRIMARY KEY, owner int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

test("a transaction whose primary is killed before COMMIT had no effect, and says that it may be run again", async () => {
  await using pool = openPool(cluster);
  const old = cluster.primary();
  const error = await rejection(
    pool.transaction(async (tx) => {
      await tx.query("INSERT INTO account VALUES (1)");
      await old.kill();
      await tx.query("INSERT INTO account VALUES (2)");
    }),
  );
  expect(error).toBeInstanceOf(TransactionLostError);
  expect(error).toMatchObject({ code: "TRANSACTION_LOST", node: old.name, retryable: true });
  const promoted = await promoteMirror(cluster);
  expect(await countRows(promoted, "account", "id IN (1, 2)")).toBe(0);
  expect(pool.stats()).toMatchObject({ transactionsLost: 1, commitUnknown: 0 });
  expect(underWay(pool)).toBe(0);
});

test("a transaction whose primary is killed between two statements is lost at COMMIT, though nothing failed before", async () => {
  await using pool = openPool(cluster);
  const error = await rejection(
    pool.transaction(async (tx) => {
      await tx.query("INSERT INTO account VALUES (3)");
      await cluster.primary().kill();
      await until("the pool to know", () => pool.topology().primary === undefined);
    }),
  );
  expect(error).toBeInstanceOf(TransactionLostError);
  const promoted = await promoteMirror(cluster);
  expect(await countRows(promoted, "account", "id = 3")).toBe(0);
});

test("a callback that hides the loss of its transaction does not hide it from the caller", async () => {
  await using pool = openPool(cluster);
  const error = await rejection(
    pool.transaction(async (tx) => {
      await tx.query("INSERT INTO account VALUES (4)");
      await cluster.primary().kill();
      await tx.query("SELECT 1").catch(() => {});
      return "all is well";
    }),
  );
  expect(error).toBeInstanceOf(TransactionLostError);
});

test("with retries a lost transaction runs again on the new primary, with exactly one effect", async () => {
  await using pool = openPool(cluster);
  let runs = 0;
  const value = await pool.transaction(
    async (tx) => {
      runs += 1;
      await tx.query("INSERT INTO account VALUES (5)");
      if (runs === 1) {
        await cluster.primary().kill();
        await promoteMirror(cluster);
      }
      await tx.query("INSERT INTO account VALUES (6)");
      return `run ${runs}`;
    },
    { retries: 3 },
  );
  expect(value).toBe("run 2");
  expect(await countRows(cluster.primary(), "account", "id IN (5, 6)")).toBe(2);
  expect(pool.stats().transactionsLost).toBe(1);
});

test("a transaction that is lost on a frozen primary runs again on the new one, while the old one keeps nothing of it", async () => {
  await using pool = openPool(cluster);
  const old = cluster.primary();
  let runs = 0;
  await pool.transaction(
    async (tx) => {
      runs += 1;
      await tx.query("INSERT INTO account VALUES (7)");
      if (runs > 1) return;
      await old.freeze();
      await promoteMirror(cluster);
      await tx.query("INSERT INTO account VALUES (8)");
    },
    { retries: 1 },
  );
  expect(runs).toBe(2);
  expect(await countRows(cluster.primary(), "account", "id = 7")).toBe(1);
  await old.thaw();
  expect(await countRows(old, "account", "id IN (7, 8)")).toBe(0);
});

test("a COMMIT whose answer is lost is of unknown fate, and not run again in spite of retries", async () => {
  await using pool = openPool(cluster);
  const primary = cluster.primary();
  let runs = 0;
  const error = await rejection(
    pool.transaction(
      async (tx) => {
        runs += 1;
        await tx.query("INSERT INTO account VALUES (9)");
        await primary.proxy.halfOpen("down");
      },
      { retries: 3 },
    ),
  );
  await primary.proxy.heal();
  expect(error).toBeInstanceOf(CommitUnknownError);
  expect(error).toMatchObject({ node: primary.name, retryable: false });
  expect(runs).toBe(1);
  expect(await countRows(primary, "account", "id = 9")).toBe(1);
  expect(pool.stats().commitUnknown).toBe(1);
});

test("a COMMIT whose connection breaks after the first byte of its answer is of unknown fate", async () => {
  await using pool = openPool(cluster);
  const primary = cluster.primary();
  const error = await rejection(
    pool.transaction(async (tx) => {
      await tx.query("INSERT INTO account VALUES (10)");
      await primary.proxy.cutAfter(1, "down");
    }),
  );
  await primary.proxy.heal();
  expect(error).toBeInstanceOf(CommitUnknownError);
  expect(await countRows(primary, "account", "id = 10")).toBe(1);
});

test("a COMMIT that never arrives is of unknown fate too, and its transaction is not on the new primary", async () => {
  await using pool = openPool(cluster);
  const old = cluster.primary();
  const error = await rejection(
    pool.transaction(async (tx) => {
      await tx.query("INSERT INTO account VALUES (11)");
      await old.proxy.blackHole();
    }),
  );
  expect(error).toBeInstanceOf(CommitUnknownError);
  await promoteMirror(cluster);
  await pool.query("INSERT INTO account VALUES (12)");
  expect(await countRows(cluster.primary(), "account", "id = 11")).toBe(0);
  expect(await countRows(cluster.primary(), "account", "id = 12")).toBe(1);
});

test("a transaction that only read is lost, not of unknown fate, when the answer to its COMMIT does not come", async () => {
  await using pool = openPool(cluster);
  const primary = cluster.primary();
  let runs = 0;
  const transaction = pool.transaction(
    async (tx) => {
      runs += 1;
      const { rowCount } = await tx.query("SELECT count(*) FROM account");
      if (runs === 1) await primary.proxy.cutAfter(1, "down");
      return rowCount;
    },
    { retries: 1 },
  );
  await until("the loss", () => pool.stats().transactionsLost === 1);
  await primary.proxy.heal();
  expect(await transaction).toBe(1);
  expect(runs).toBe(2);
});

test("a COMMIT that the database answers with ROLLBACK is an error", async () => {
  await using pool = openPool(cluster);
  const error = await rejection(
    pool.transaction(async (tx) => {
      await tx.query("INSERT INTO account VALUES (20)");
      await tx.query("SELECT 1/0").catch(() => {});
    }),
  );
  expect(error).toBeInstanceOf(TransactionAbortedError);
  expect(await countRows(cluster.primary(), "account", "id = 20")).toBe(0);
});

test("a deferred constraint that fails at COMMIT is the database's own error, and costs no connection", async () => {
  await using pool = openPool(cluster);
  await pool.query("INSERT INTO account VALUES (21, 1)");
  const { opened } = pool.stats().nodes[cluster.primary().name] ?? {};
  const error = await rejection(
    pool.transaction((tx) => tx.query("INSERT INTO account VALUES (22, 1)").then(() => undefined)),
  );
  expect(error).toMatchObject({ name: "error", code: "23505" });
  expect(await countRows(cluster.primary(), "account", "id = 22")).toBe(0);
  expect(pool.stats().nodes[cluster.primary().name]).toMatchObject({ opened, closed: 0, inUse: 0 });
});

test("a callback that throws rolls its transaction back, and its error is the caller's", async () => {
  await using pool = openPool(cluster);
  const own = new Error("changed my mind");
  const error = await rejection(
    pool.transaction(async (tx) => {
      await tx.query("INSERT INTO account VALUES (23)");
      throw own;
    }),
  );
  expect(error).toBe(own);
  expect(await countRows(cluster.primary(), "account", "id = 23")).toBe(0);
  expect(pool.stats().nodes[cluster.primary().name]).toMatchObject({ opened: 1, closed: 0, inUse: 0 });
});

test("a transaction goes on after ROLLBACK TO a savepoint", async () => {
  await using pool = openPool(cluster);
  await pool.transaction(async (tx) => {
    await tx.query("INSERT INTO account VALUES (24)");
    await tx.query("SAVEPOINT before");
    expect(await rejection(tx.query("INSERT INTO account VALUES (24)"))).toMatchObject({ code: "23505" });
    expect(await rejection(tx.query("SELECT 1"))).toMatchObject({ code: "25P02" });
    await tx.query("ROLLBACK TO before");
    await tx.query("INSERT INTO account VALUES (25)");
  });
  expect(await countRows(cluster.primary(), "account", "id IN (24, 25)")).toBe(2);
});

test("a serialization failure reaches the application as it is, and is not run again behind its back", async () => {
  await using pool = openPool(cluster);
  await pool.query("INSERT INTO account VALUES (26)");
  let runs = 0;
  const error = await rejection(
    pool.transaction(
      async (tx) => {
        runs += 1;
        await tx.query("SELECT * FROM account WHERE id = 26");
        await pool.query("UPDATE account SET owner = 26 WHERE id = 26");
        await tx.query("UPDATE account SET owner = 27 WHERE id = 26");
      },
      { isolation: "repeatable read", retries: 3 },
    ),
  );
  expect(error).toMatchObject({ code: "40001" });
  expect(runs).toBe(1);
});

test("a write inside a read-only transaction is the database's own error, without a failover", async () => {
  await using pool = openPool(cluster);
  const error = await rejection(
    pool.transaction((tx) => tx.query("INSERT INTO account VALUES (27)").then(() => undefined), { readOnly: true }),
  );
  expect(error).toMatchObject({ code: "25006" });
  expect(pool.stats()).toMatchObject({ epoch: 1, transactionsLost: 0, reruns: 0 });
});

test("a statement in flight in a transaction when its backend ends loses the transaction, not the primary", async () => {
  await using pool = openPool(cluster);
  const primary = cluster.primary();
  const lost = settle(
    pool.transaction(async (tx) => {
      await tx.query("SELECT 49");
      await tx.query("INSERT INTO account SELECT 50 FROM pg_sleep(5)");
    }),
  );
  await running(primary, "SELECT 50");
  await primary.terminateBackends();
  expect((await lost).error).toBeInstanceOf(TransactionLostError);
  expect(await countRows(primary, "account", "id = 50")).toBe(0);
  expect(pool.stats()).toMatchObject({ epoch: 1, failovers: 0 });
});
