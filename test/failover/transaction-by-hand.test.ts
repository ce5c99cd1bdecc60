import { CommitUnknownError, TransactionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { countRows, mend, promoteMirror } from "./support/cluster.ts";
import { rejection } from "./support/outcome.ts";
import { openPool } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE account (id int PRIMARY KEY, owner int UNIQUE DEFERRABLE INITIALLY DEFERRED)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

test("a transaction by hand that was lost takes nothing but ROLLBACK, and COMMIT rejects", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO account VALUES (30)");
  await cluster.primary().kill();
  await promoteMirror(cluster);
  expect(await rejection(session.query("INSERT INTO account VALUES (31)"))).toBeInstanceOf(TransactionLostError);
  expect(await rejection(session.query("INSERT INTO account VALUES (32)"))).toBeInstanceOf(TransactionLostError);
  expect(await rejection(session.query("SELECT 1"))).toBeInstanceOf(TransactionLostError);
  expect((await session.query("ROLLBACK")).command).toBe("ROLLBACK");
  await session.query("INSERT INTO account VALUES (33)");
  expect(await countRows(cluster.primary(), "account", "id IN (30, 31, 32)")).toBe(0);
  expect(await countRows(cluster.primary(), "account", "id = 33")).toBe(1);
});

test("COMMIT of a transaction by hand that was lost rejects, whether or not a statement has failed before it", async () => {
  await using pool = openPool(cluster);
  await using one = await pool.connect();
  await using other = await pool.connect();
  for (const session of [one, other]) {
    await session.query("BEGIN");
    await session.query("INSERT INTO account VALUES (DEFAULT)").catch(() => {});
  }
  await cluster.primary().kill();
  await promoteMirror(cluster);
  expect(await rejection(one.query("COMMIT"))).toBeInstanceOf(TransactionLostError);
  expect(await rejection(other.query("SELECT 1"))).toBeInstanceOf(TransactionLostError);
  expect(await rejection(other.query("COMMIT"))).toBeInstanceOf(TransactionLostError);
  // both know now, and are usable again
  for (const session of [one, other]) expect((await session.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
});

test("a COMMIT by hand that a deadline ended is of unknown fate, and never called lost later", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  const primary = cluster.primary();
  await session.query("BEGIN");
  await session.query("INSERT INTO account VALUES (45)");
  await primary.proxy.halfOpen("down");
  const error = await rejection(session.query("COMMIT", [], { timeoutMs: 100 }));
  expect(error).toBeInstanceOf(CommitUnknownError);
  await until("the connection to be given up", () => pool.stats().nodes[primary.name]?.inUse === 0);
  await primary.proxy.heal();
  expect((await session.query("SELECT count(*)::int FROM account WHERE id = 45")).rows).toEqual([{ count: 1 }]);
});

test("ROLLBACK on a primary that was killed is a success: that is what was asked for", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO account VALUES (40)");
  await cluster.primary().kill();
  expect((await session.query("ROLLBACK")).command).toBe("ROLLBACK");
});

test("ROLLBACK after a COMMIT of unknown fate waited for a new primary, though there was nothing to roll back", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  const primary = cluster.primary();
  await session.query("BEGIN");
  await session.query("INSERT INTO account VALUES (46)");
  await primary.proxy.halfOpen("down");
  expect(await rejection(session.query("COMMIT"))).toBeInstanceOf(CommitUnknownError);
  expect(pool.topology().primary).toBeUndefined();
  expect((await session.query("ROLLBACK", [], { timeoutMs: 1 })).command).toBe("ROLLBACK");
});

test("a session that is given back with its transaction open leaves nothing of it", async () => {
  await using pool = openPool(cluster, { pool: { max: 1 } });
  const session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO account VALUES (41)");
  session.release();
  await pool.query("INSERT INTO account VALUES (42)");
  expect(await countRows(cluster.primary(), "account", "id = 41")).toBe(0);
  expect(await rejection(session.query("SELECT 1"))).toMatchObject({ code: "SESSION_RELEASED" });
});
