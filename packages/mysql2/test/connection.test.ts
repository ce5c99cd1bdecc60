import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, NotSentError } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { driver, open, rejection, servers } from "./server.ts";

describe.each(servers)("a connection to %s", (server) => {
  let cluster: LabCluster;
  let node: LabNode;
  let connection: Connection;

  beforeAll(async () => {
    cluster = await createCluster({ server, mirrors: 0 });
    node = cluster.primary();
    const setup = await open(node);
    await setup.run({ text: "CREATE TABLE thing (id int PRIMARY KEY, name varchar(9) UNIQUE)" });
    await setup.run({ text: "CREATE TABLE counted (id int AUTO_INCREMENT PRIMARY KEY, n int)" });
    await setup.run({ text: "CREATE PROCEDURE twice() BEGIN SELECT 1 AS a; SELECT 2 AS b; END" });
    await setup.run({
      text: "CREATE PROCEDURE begins() BEGIN START TRANSACTION; INSERT INTO thing VALUES (1, 'one'); END",
    });
    await setup.run({ text: "CREATE PROCEDURE writes() INSERT INTO counted (n) VALUES (1)" });
    await setup.run({ text: "INSERT INTO thing VALUES (1, 'one')" });
    await setup.close();
  });
  beforeEach(async () => {
    connection = await open(node);
  });
  afterEach(async () => {
    connection.destroy();
    await node.proxy.heal();
    if (node.isFrozen) await node.thaw();
    if (!node.isRunning) await node.start();
  });
  afterAll(() => cluster?.close());

  const run = (text: string, values?: readonly unknown[]) =>
    connection.run(values === undefined ? { text } : { text, values });

  test("a text without values is sent as it is, whatever the settings say of named placeholders", async () => {
    const named = await open(node, {}, mysql({ namedPlaceholders: true }));
    try {
      expect((await named.run({ text: "SELECT 1 AS a -- and :b" })).rows).toEqual([{ a: 1 }]);
    } finally {
      named.destroy();
    }
  });

  test.each([
    [[], "SELECT 1", "idle"],
    [[], "INSERT IGNORE INTO thing VALUES (1, 'one')", "idle"],
    [[], "BEGIN", "transaction"],
    [["BEGIN"], "SELECT * FROM thing", "transaction"],
    [["BEGIN"], "INSERT INTO counted (n) VALUES (1)", "transaction"],
    [["BEGIN"], "COMMIT", "idle"],
    [["BEGIN"], "ROLLBACK", "idle"],
    [["BEGIN"], "CREATE TABLE IF NOT EXISTS thing (id int)", "idle"],
    [["SET autocommit = 0"], "SELECT * FROM thing", "transaction"],
    [[], "SET @x = 1", "idle"],
    [[], "CALL twice()", "idle"],
    [["BEGIN"], "CALL writes()", "transaction"],
  ] as const)("after %j and %j the status is %s", async (before, text, status) => {
    for (const each of before) await run(each);
    const running = run(text);
    expect(connection.status).toBe("busy");
    await running;
    expect(connection.status).toBe(status);
    expect(connection.isInTransaction).toBe(status === "transaction");
  });

  test.each([
    ["of a statement leaves it open", "INSERT INTO thing VALUES (1, 'one')", 1062, "transaction"],
    ["of what is no statement leaves it open", "SELEC 1", 1064, "transaction"],
    ["of a definition has committed it before", "CREATE TABLE thing (id int)", 1050, "idle"],
  ])("in a transaction an error %s: the server is asked", async (_, text, errno, status) => {
    await run("BEGIN");
    await run("INSERT INTO counted (n) VALUES (1)");
    expect(await rejection(run(text))).toMatchObject({ errno });
    expect(connection.status).toBe(status);
  });

  test.each([
    ["a text with several statements", "BEGIN; SELEC 1", 1064, mysql({ multipleStatements: true })],
    ["a call", "CALL begins()", 1062, driver],
  ])("an error of %s that has begun a transaction leaves it open: the server is asked", async (_, text, errno, by) => {
    const several = await open(node, {}, by);
    expect(await rejection(several.run({ text }))).toMatchObject({ errno });
    expect(several.status).toBe("transaction");
    await several.run({ text: "ROLLBACK" });
    expect(several.status).toBe("idle");
    several.destroy();
  });

  test("a lock wait undoes the statement alone, a deadlock the transaction", async () => {
    const other = await open(node);
    await run("INSERT IGNORE INTO thing VALUES (7, 'seven'), (8, 'eight')");
    await other.run({ text: "SET innodb_lock_wait_timeout = 1" });
    await run("BEGIN");
    await run("UPDATE thing SET name = 'a' WHERE id = 7");
    await other.run({ text: "BEGIN" });
    await other.run({ text: "UPDATE thing SET name = 'b' WHERE id = 8" });
    expect(await rejection(other.run({ text: "UPDATE thing SET name = 'b' WHERE id = 7" }))).toMatchObject({
      errno: 1205,
    });
    expect(other.status).toBe("transaction");
    await other.run({ text: "SET innodb_lock_wait_timeout = 50" });
    const blocked = other.run({ text: "UPDATE thing SET name = 'b' WHERE id = 7" }).catch((error: unknown) => error);
    await sleep(100);
    const mine = await run("UPDATE thing SET name = 'a' WHERE id = 8").catch((error: unknown) => error);
    const wasMine = driver.classify(mine).kind === "rolled-back";
    if (!wasMine) await run("ROLLBACK");
    const theirs = await blocked;
    expect(driver.classify(wasMine ? mine : theirs).kind).toBe("rolled-back");
    expect(wasMine ? connection.status : other.status).toBe("idle");
    other.destroy();
  });

  test("BEGIN and a statement go in one flush, whose answer is that of the statement", async () => {
    const before = node.proxy.stats.connections.accepted;
    const result = await connection.begin(
      { text: "BEGIN" },
      { text: "INSERT INTO counted (n) VALUES (?)", values: [5] },
    );
    expect(result).toMatchObject({ command: "INSERT", rowCount: 1, insertId: expect.any(Number) });
    expect(connection.status).toBe("transaction");
    await run("ROLLBACK");
    expect(
      await rejection(connection.begin({ text: "BEGIN" }, { text: "INSERT INTO nowhere VALUES (1)" })),
    ).toMatchObject({
      errno: 1146,
    });
    expect(connection.status).toBe("transaction");
    await run("ROLLBACK");
    expect(connection.status).toBe("idle");
    expect(node.proxy.stats.connections.accepted).toBe(before);
  });

  test("the driver's compressed connections do the same, one command after the other", async () => {
    const compressed = await open(node, {}, mysql({ compress: true } as never));
    await compressed.begin({ text: "BEGIN" }, { text: "INSERT INTO counted (n) VALUES (5)" });
    expect(compressed.status).toBe("transaction");
    await compressed.run(driver.transactions.rollback === "ROLLBACK" ? { text: "ROLLBACK" } : { text: "" });
    expect(compressed.status).toBe("idle");
    compressed.destroy();
  });

  test("an application's text with several statements is refused, unless it asked for such", async () => {
    expect(await rejection(run("SELECT 1; SELECT 2"))).toMatchObject({ errno: 1064 });
    const several = await open(node, {}, mysql({ multipleStatements: true }));
    const result = await several.run({ text: "SELECT 1 AS a; SELECT 2 AS b UNION SELECT 3; SET @x = 1" });
    expect(result.results?.map(({ rows }) => rows)).toEqual([[{ a: 1 }], [{ b: 2 }, { b: 3 }], []]);
    expect(await rejection(several.run({ text: "SELECT 1; SELECT nothing; SELECT 2" }))).toMatchObject({ errno: 1054 });
    expect(several.status).toBe("idle");
    several.destroy();
  });

  test("a call gives all its results, and says how the last one ended", async () => {
    const { results } = await run("CALL twice()");
    expect(results?.map(({ rows }) => rows)).toEqual([[{ a: 1 }], [{ b: 2 }], []]);
  });

  test("on a mirror the session refuses writes of whoever it is, and takes them again on a primary", async () => {
    connection.serveAs?.("mirror");
    const error = await rejection(run("INSERT INTO counted (n) VALUES (1)"));
    expect(error).toMatchObject({ errno: 1792 });
    expect(driver.classify(error).kind).toBe("read-only");
    expect((await run("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    connection.serveAs?.("primary");
    expect((await run("INSERT INTO counted (n) VALUES (1)")).rowCount).toBe(1);
  });

  test("values and the options of mysql2 are passed on", async () => {
    expect((await run("SELECT ? AS n, ? AS t", [7, "seven"])).rows).toEqual([{ n: 7, t: "seven" }]);
    expect((await connection.run({ text: "SELECT 1, 2", rowsAsArray: true })).rows).toEqual([[1, 2]]);
    expect((await connection.run({ text: "SELECT DATE '2020-01-02' AS d", dateStrings: true } as never)).rows).toEqual([
      { d: expect.anything() },
    ]);
    const prepared = { text: "SELECT ? + 1 AS n", values: [4], execute: true };
    for (let i = 0; i < 3; i += 1) expect((await connection.run(prepared)).rows).toEqual([{ n: 5 }]);
    const strings = await open(node, {}, mysql({ dateStrings: true, rowsAsArray: true }));
    expect((await strings.run({ text: "SELECT DATE '2020-01-02' AS d" })).rows).toEqual([["2020-01-02"]]);
    expect(await driver.probe(strings)).toMatchObject({ role: "primary" });
    strings.destroy();
  });

  test("a prepared statement is prepared anew when its table has changed", async () => {
    const prepared = { text: "SELECT * FROM changing WHERE 1 = ?", values: [1], execute: true };
    await run("CREATE TABLE changing (a int)");
    await run("INSERT INTO changing VALUES (1)");
    expect((await connection.run(prepared)).rows).toEqual([{ a: 1 }]);
    await run("ALTER TABLE changing ADD b int DEFAULT 2");
    expect((await connection.run(prepared)).rows).toEqual([{ a: 1, b: 2 }]);
    await run("DROP TABLE changing");
  });

  test("values that cannot be written are the caller's error, nothing is sent, and the connection goes on", async () => {
    const poison = {
      toSqlString: () => {
        throw new Error("no");
      },
    };
    expect(driver.classify(await rejection(run("SELECT ?", [poison]))).kind).toBe("statement");
    expect(await rejection(connection.begin({ text: "BEGIN" }, { text: "SELECT ?", values: [poison] }))).toBeInstanceOf(
      Error,
    );
    expect(connection.status).toBe("idle");
    const prepared = { text: "SELECT ?", values: [undefined], execute: true };
    expect(await rejection(connection.run(prepared))).toBeInstanceOf(TypeError);
    expect(await rejection(connection.begin({ text: "BEGIN" }, prepared))).toBeInstanceOf(TypeError);
    if (connection.isInTransaction) await run("ROLLBACK");
    expect(await rejection(connection.run({ text: "SELECT 1", values: "x" as unknown as unknown[] }))).toBeInstanceOf(
      TypeError,
    );
    expect((await run("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    expect(connection.status).toBe("idle");
  });

  test("a cancel ends the running statement and nothing else", async () => {
    await driver.probe(connection);
    const running = rejection(run("INSERT INTO counted SELECT NULL, SLEEP(60) FROM thing"));
    await sleep(100);
    await connection.cancel(new AbortController().signal);
    expect(await running).toMatchObject({ errno: 1317 });
    expect(connection.status).toBe("idle");
    expect((await run("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  test("a cancel that nobody takes ends with its signal", async () => {
    await driver.probe(connection);
    await node.proxy.blackHole();
    const attempt = new AbortController();
    const cancelling = rejection(connection.cancel(attempt.signal));
    await sleep(20);
    attempt.abort();
    expect(await cancelling).toBeDefined();
  });

  test("destroy cuts the statement that runs, and tells once", async () => {
    let told = 0;
    connection.onClose(() => {
      told += 1;
    });
    const running = rejection(run("SELECT SLEEP(60) FROM thing"));
    await sleep(50);
    connection.destroy();
    connection.destroy();
    expect(driver.classify(await running).kind).toBe("gone");
    expect(connection.status).toBe("closed");
    expect(told).toBe(1);
    connection.onClose(() => {
      told += 1;
    });
    expect(told).toBe(2);
  });

  test("a statement on a closed connection was not sent", async () => {
    connection.destroy();
    expect(await rejection(run("INSERT INTO thing VALUES (3, 'three')"))).toBeInstanceOf(NotSentError);
    const other = await open(node);
    await other.close();
    expect(other.status).toBe("closed");
    expect(await rejection(other.run({ text: "SELECT 1" }))).toBeInstanceOf(NotSentError);
  });

  test("close says goodbye, and is bounded when nobody answers", async () => {
    await connection.close();
    await connection.close();
    const other = await open(node);
    await node.freeze();
    await other.close();
    expect(other.status).toBe("closed");
  });

  const ends: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["its session is killed", () => node.terminateBackends()],
    ["the server shuts down", () => node.stop()],
    ["the server is killed", () => node.kill()],
    ["the network resets it", async () => node.proxy.dropConnections()],
    ["the network closes it", () => node.proxy.refuse()],
  ];

  test.each(ends)(
    "a connection that is lost because %s rejects what runs as gone, and says so when idle",
    async (_, end) => {
      const idle = await open(node);
      let isTold = false;
      idle.onClose(() => {
        isTold = true;
      });
      const running = rejection(run("SELECT SLEEP(60) FROM thing"));
      await sleep(50);
      await end();
      expect(driver.classify(await running).kind).toBe("gone");
      const deadline = performance.now() + 10_000;
      while ((!isTold || connection.status !== "closed") && performance.now() < deadline) await sleep(5);
      expect(isTold).toBe(true);
      expect(connection.status).toBe("closed");
      expect(await rejection(idle.run({ text: "SELECT 1" }))).toBeInstanceOf(NotSentError);
    },
  );

  test("a connection that breaks in the middle of an answer rejects it as gone", async () => {
    await node.proxy.cutAfter(10_000, "down");
    const error = await rejection(run("SELECT REPEAT('x', 100000)"));
    expect(driver.classify(error).kind).toBe("gone");
  });

  test("many statements one after the other keep their order and their answers", async () => {
    for (let i = 0; i < 200; i += 1) {
      const answer = await run(i % 3 === 0 ? "SELECT nothing" : "SELECT ? AS n", i % 3 === 0 ? [] : [i]).then(
        ({ rows }) => rows[0]?.["n"],
        (error: unknown) => (error as { readonly errno: number }).errno,
      );
      expect(answer).toBe(i % 3 === 0 ? 1054 : i);
    }
  });
});
