import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, NotSentError, type Result } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { driver, open, rejection, servers } from "./server.ts";

describe.each(servers)("reads that are sent one behind the other to %s", (server) => {
  let cluster: LabCluster;
  let node: LabNode;
  let connection: Connection;

  beforeAll(async () => {
    cluster = await createCluster({ server, mirrors: 0 });
    node = cluster.primary();
    const setup = await open(node);
    await setup.run({ text: "CREATE TABLE thing (id int PRIMARY KEY, name varchar(9))" });
    await setup.run({ text: "INSERT INTO thing VALUES (1, 'one'), (2, 'two')" });
    await setup.close();
  });
  beforeEach(async () => {
    connection = await open(node);
    await driver.probe(connection);
  });
  afterEach(async () => {
    connection.destroy();
    await node.proxy.heal();
    if (!node.isRunning) await node.start();
  });
  afterAll(() => cluster?.close());

  const pipe = (text: string, values: readonly unknown[] = [], options: object = {}): Promise<Result> => {
    if (connection.pipeline === undefined) throw new Error("this connection cannot do that");
    return connection.pipeline({ text, values, ...options });
  };
  const outcome = (running: Promise<Result>): Promise<unknown> =>
    running.then(
      ({ rows }) => rows[0],
      (error: unknown) => (error as { readonly errno: number }).errno,
    );

  test("each get their own answer, rows or an error", async () => {
    const asked = Array.from({ length: 300 }, (_, index) => index);
    const running = asked.map((index) =>
      outcome(
        index % 3 === 0 ? pipe("SELECT nothing") : pipe("SELECT ? AS n, REPEAT('x', ?) AS text", [index, index * 50]),
      ),
    );
    expect(connection.status).toBe("busy");
    expect(await Promise.all(running)).toEqual(
      asked.map((index) => (index % 3 === 0 ? 1054 : { n: index, text: "x".repeat(index * 50) })),
    );
    expect(connection.status).toBe("idle");
    expect((await connection.run({ text: "SELECT 1 AS one" })).rows).toEqual([{ one: 1 }]);
  });

  test("are all with the server at once", async () => {
    await node.proxy.latency(100);
    const begunAt = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => pipe("SELECT 1 AS one")));
    expect(performance.now() - begunAt).toBeLessThan(50 * 200);
  });

  test("are read each as it asks", async () => {
    const text = "SELECT name FROM thing WHERE id = ?";
    const one = [[{ name: "one" }], [["one"]], [{ thing: { name: "one" } }]];
    const running = [{}, { rowsAsArray: true }, { nestTables: true }].map((options) => pipe(text, [1], options));
    expect((await Promise.all(running)).map(({ rows }) => rows)).toEqual(one);
  });

  test("longer than a packet can be, they wait for nobody and nobody gets their answer", async () => {
    const long = "x".repeat(300_000);
    const running = Array.from({ length: 20 }, (_, index) => pipe("SELECT LENGTH(?) + ? AS n", [long, index]));
    const rows = (await Promise.all(running)).map(({ rows: [row] }) => Number(row?.["n"]));
    expect(rows).toEqual(Array.from({ length: 20 }, (_, index) => 300_000 + index));
  });

  test("what cannot be written is the caller's error, and the others go on", async () => {
    const unfit = {
      toString() {
        throw new Error("no text");
      },
    };
    const running = [pipe("SELECT 1 AS n"), pipe("SELECT ?", [{ toSqlString: unfit.toString }]), pipe("SELECT 2 AS n")];
    const [first, bad, last] = await Promise.allSettled(running);
    expect([first, last]).toMatchObject([{ value: { rows: [{ n: 1 }] } }, { value: { rows: [{ n: 2 }] } }]);
    expect(bad).toMatchObject({ reason: { message: "no text" } });
  });

  test("when the connection is lost, all of them are", async () => {
    const running = Array.from({ length: 10 }, () => rejection(pipe("SELECT SLEEP(60) FROM thing")));
    await sleep(50);
    await node.kill();
    for (const error of await Promise.all(running)) expect(driver.classify(error).kind).toBe("gone");
    expect(connection.status).toBe("closed");
    expect(await rejection(pipe("SELECT 1"))).toBeInstanceOf(NotSentError);
  });

  test("destroying it ends all of them at once", async () => {
    const running = Array.from({ length: 10 }, () => rejection(pipe("SELECT SLEEP(60) FROM thing")));
    await sleep(50);
    connection.destroy();
    for (const error of await Promise.all(running)) expect(driver.classify(error).kind).toBe("gone");
  });

  test("a cancel ends the one that runs, and those behind it go on", async () => {
    const slow = rejection(pipe("SELECT COUNT(*) FROM thing WHERE SLEEP(60) = 0 OR id > 0"));
    const behind = Array.from({ length: 5 }, (_, index) => pipe("SELECT ? AS n", [index]));
    await sleep(100);
    await connection.cancel(new AbortController().signal);
    expect(await slow).toMatchObject({ errno: 1317 });
    expect((await Promise.all(behind)).map(({ rows }) => rows[0]?.["n"])).toEqual([0, 1, 2, 3, 4]);
  });

  test("on a mirror the session refuses writes before the first of them", async () => {
    connection.serveAs?.("mirror");
    const running = [pipe("SELECT 1 AS n"), pipe("DELETE FROM thing"), pipe("SELECT COUNT(*) AS n FROM thing")];
    expect(await Promise.all(running.map(outcome))).toEqual([{ n: 1 }, 1792, { n: 2 }]);
    connection.serveAs?.("primary");
    await connection.run({ text: "UPDATE thing SET name = 'one' WHERE id = 1" });
  });

  test("there are none on a compressed connection, nor where each would begin a transaction", async () => {
    const compressed = await open(node, {}, mysql({ compress: true }));
    expect(compressed.pipeline).toBeUndefined();
    compressed.destroy();
    await connection.run({ text: "SET autocommit = 0" });
    expect(connection.pipeline).toBeUndefined();
  });
});
