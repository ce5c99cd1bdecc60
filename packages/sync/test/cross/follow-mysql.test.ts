import { setTimeout as sleep } from "node:timers/promises";
import { createPool, type FailoverPool } from "@mirrorpool/core";
import { mysql } from "@mirrorpool/mysql2";
import { compare, type FollowEvent, type Following, follow, type JobError } from "@mirrorpool/sync";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { grantReplication, openPlace, type Place, pairsOf } from "./support.ts";

describe.each(pairsOf([["mysql", "mysql"]], [["mariadb", "mariadb"]]))("following %s by its binary log", (server) => {
  let from: Place;
  let to: Place;
  let admin: FailoverPool;
  let following: Following | undefined;
  let events: FollowEvent[];

  beforeAll(async () => {
    [from, to] = await Promise.all([openPlace(server), openPlace(server)]);
    admin = createPool({ driver: mysql(), nodes: [from.cluster.primary().adminUrl.replace(/\/[^/]*$/, "/app")] });
  });
  beforeEach(async () => {
    events = [];
    await Promise.all([from.clear(), to.clear()]);
  });
  afterEach(async () => {
    await following?.remove();
    following = undefined;
  });
  afterAll(async () => {
    await admin?.close({ timeoutMs: 0 });
    await Promise.all([from?.[Symbol.asyncDispose](), to?.[Symbol.asyncDispose]()]);
  });

  const job = (): { from: FailoverPool; to: FailoverPool } => ({ from: from.pool, to: to.pool });

  async function start(): Promise<void> {
    following = await follow({ ...job(), onEvent: (event) => events.push(event) });
    await following.caughtUp({ timeoutMs: 30_000 });
  }

  async function expectEqual(): Promise<void> {
    await following?.caughtUp({ timeoutMs: 30_000 });
    expect(await compare({ ...job(), recheckMs: 10 })).toMatchObject({ isEqual: true, differences: [] });
  }

  async function refusals(): Promise<readonly string[]> {
    const error = await follow(job()).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "REFUSED" });
    return (error as JobError).refusals.map(({ table, column = "", reason }) => [table, column, reason].join(" "));
  }

  test("what cannot be followed is refused, with all reasons and what to do", async () => {
    for (const place of [from, to])
      await place.run(
        "CREATE TABLE fine (id int PRIMARY KEY)",
        "CREATE TABLE bag (n int)",
        "CREATE TABLE kept (id int PRIMARY KEY) ENGINE = MyISAM",
      );
    await from.run("CREATE TABLE old (id int PRIMARY KEY, c varchar(10) CHARACTER SET cp1250)");
    await to.run("CREATE TABLE old (id int PRIMARY KEY, c varchar(10))");
    const trigger = "CREATE TRIGGER app.again BEFORE UPDATE ON app.fine FOR EACH ROW SET NEW.id = NEW.id + 1";
    await to.cluster.primary().query(trigger);
    await admin.query("SET GLOBAL binlog_row_image = 'MINIMAL'");
    const found = await refusals();
    await admin.query("SET GLOBAL binlog_row_image = 'FULL'");
    expect(found).toEqual([
      "public.bag  it has no primary key, so that a change names no row",
      "  the source needs binlog_row_image = FULL, and has MINIMAL",
      expect.stringContaining("public.kept  the source keeps it in MyISAM"),
      expect.stringContaining("public.old c the binary log has it in the character set cp1250"),
      expect.stringContaining("public.fine  its trigger again on the target"),
      expect.stringContaining("public.kept  the target keeps it in MyISAM"),
    ]);
    await from.run("DROP TABLE kept, old, bag");
    await to.cluster.primary().query("DROP TRIGGER app.again");
    expect(await refusals()).toEqual([expect.stringContaining("GRANT REPLICATION SLAVE")]);
    await grantReplication(from);
  });

  test("changes that the source has thrown away are found by comparison; an idle source's position is kept", async () => {
    for (const place of [from, to]) await place.run("CREATE TABLE t (id int PRIMARY KEY, v varchar(10))");
    await from.run("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c')");
    await start();
    await following?.stop();
    await from.run("UPDATE t SET v = 'x' WHERE id = 1", "DELETE FROM t WHERE id = 2");
    // the server does not throw away what somebody still reads, which it notices only when it writes to them
    await admin.query("FLUSH BINARY LOGS");
    for (let left = 2; left > 1; ) {
      const { rows } = await admin.query<{ Log_name: string }>("SHOW BINARY LOGS");
      left = rows.length;
      await admin.query(`PURGE BINARY LOGS TO '${rows.at(-1)?.Log_name}'`);
      await sleep(50);
    }
    await start();
    await expectEqual();
    expect(events).toContainEqual(expect.objectContaining({ type: "reseeded", rows: 2, isWhole: true }));
    await from.run("UPDATE t SET v = 'y' WHERE id = 1");
    await expectEqual();
  });

  test("a session that does not log whole rows ends it, and no change is missed without a word", async () => {
    for (const place of [from, to]) await place.run("CREATE TABLE t (id int PRIMARY KEY, v varchar(10), w int)");
    await from.run("INSERT INTO t VALUES (1, 'a', 1)");
    await start();
    await using session = await admin.connect();
    await session.query("SET SESSION binlog_row_image = 'MINIMAL'");
    await session.query("UPDATE t SET v = 'x' WHERE id = 1");
    expect(await following?.ended.catch((reason: unknown) => reason)).toMatchObject({
      code: "LOG_UNREADABLE",
      message: expect.stringContaining("binlog_row_image = FULL"),
    });
  });

  test("statements in place of rows, and transactions in two phases, end it as well", async () => {
    for (const place of [from, to]) await place.run("CREATE TABLE t (id int PRIMARY KEY, v varchar(10))");
    await from.run("INSERT INTO t VALUES (1, 'a')");
    const unreadable = async (...statements: string[]): Promise<void> => {
      await start();
      await using session = await admin.connect();
      for (const statement of statements) await session.query(statement);
      expect(await following?.ended.catch((reason: unknown) => reason)).toMatchObject({ code: "LOG_UNREADABLE" });
      await following?.remove();
      await to.run("DELETE FROM t");
    };
    await unreadable(
      "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
      "SET SESSION binlog_format = 'STATEMENT'",
      "UPDATE t SET v = 'x' WHERE id = 1",
    );
    await unreadable(
      "XA START 'x'",
      "UPDATE t SET v = 'y' WHERE id = 1",
      "XA END 'x'",
      "XA PREPARE 'x'",
      "XA COMMIT 'x'",
    );
  });

  test("rows that foreign keys delete or change follow, though the log may not have them", async () => {
    const tables = [
      "CREATE TABLE parent (id int PRIMARY KEY, v int)",
      `CREATE TABLE child (id int PRIMARY KEY, parent int, other int, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE,
        FOREIGN KEY (other) REFERENCES parent (id) ON DELETE SET NULL ON UPDATE CASCADE)`,
    ];
    await from.run(...tables);
    await to.run(...tables);
    await from.run(
      "INSERT INTO parent VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
      "INSERT INTO child VALUES (1, 1, 2), (2, 1, 3), (3, 2, 3), (4, 4, NULL)",
    );
    await start();
    await from.pool.transaction(async (transaction) => {
      await transaction.query("DELETE FROM parent WHERE id = 1");
      await transaction.query("INSERT INTO parent VALUES (1, 9)");
      await transaction.query("INSERT INTO child VALUES (1, 1, 4)");
      await transaction.query("DELETE FROM parent WHERE id = 3");
    });
    await from.run(
      "UPDATE parent SET id = 40 WHERE id = 5",
      "DELETE FROM child WHERE id = 4",
      "UPDATE parent SET id = 40 WHERE id = 4",
    );
    await expectEqual();
    expect(following?.stats().conflicts).toBe(0);
    // the application's own sessions are as they were
    const looks = Array.from({ length: 5 }, () =>
      to.pool.query("SELECT @@session.foreign_key_checks AS checks", [], { consistency: "strong" }),
    );
    for (const { rows } of await Promise.all(looks)) expect(rows).toEqual([{ checks: 1 }]);
    await following?.remove();
    await to.run("DROP TABLE child", "CREATE TABLE child (id int PRIMARY KEY, parent int, other int)");
    expect(await refusals()).toEqual([
      expect.stringContaining("public.child  its foreign key"),
      expect.stringContaining("public.child  its foreign key"),
    ]);
  });

  test.runIf(server === "mysql")("JSON, and transactions whose GTIDs have tags, follow as they are", async () => {
    await from.run("CREATE TABLE t (id int PRIMARY KEY, j json, k json)");
    // as a text each value has to be what the server itself shows
    await to.run("CREATE TABLE t (id int PRIMARY KEY, j longtext, k json)");
    await start();
    await using session = await admin.connect();
    await session.query("SET SESSION gtid_next = 'AUTOMATIC:mine'");
    await session.query(`INSERT INTO t (id, j) VALUES
      (1, '{"b": 1, "a": [1.0, -0.5, 1e300, 12345678901234567890, -9223372036854775808, 18446744073709551615, null, true, false, "x\\\\u0001\\\\"\\\\\\\\/ 🐘\\\\n"], "": {}}'),
      (2, CAST(12345678901234567890.123456789 AS JSON)), (3, JSON_ARRAY(CAST('2024-02-29 12:34:56.789' AS DATETIME(6)), CAST('-12:34:56.5' AS TIME(6)), CAST('2024-02-29' AS DATE))),
      (4, JSON_ARRAY(1.5, 1e-7, 1e15, 123456789012345680, 0.0, 65535, 65536, -32769, 4294967296)), (5, '"plain"'), (6, NULL), (7, '[]'),
      (8, JSON_OBJECT('big', REPEAT('x', 70000), 'n', 70000, 'm', JSON_ARRAY(1, 2)))`);
    await session.query("SET SESSION gtid_next = 'AUTOMATIC'");
    await session.query("UPDATE t SET k = j WHERE id <> 2");
    await expectEqual();
    await following?.stop();
    await from.run("UPDATE t SET k = NULL WHERE id = 1");
    await start();
    await expectEqual();
    expect(following?.stats()).toMatchObject({ reseeds: 0, transactions: 1 });
  });
});
