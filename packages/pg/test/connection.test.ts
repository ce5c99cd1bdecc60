import { setTimeout as sleep } from "node:timers/promises";
import { type Connection, NotSentError } from "@mirrorpool/core";
import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { driver, open, rejection } from "./server.ts";

let cluster: LabCluster;
let node: LabNode;
let connection: Connection;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 0 });
  node = cluster.primary();
  const setup = await open(node);
  await setup.run({
    text: "CREATE TABLE thing (id int PRIMARY KEY, parent int REFERENCES thing DEFERRABLE INITIALLY DEFERRED)",
  });
  await setup.run({ text: "INSERT INTO thing VALUES (1)" });
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

test.each([
  ["SELECT 1", "idle"],
  ["INSERT INTO thing VALUES (2) ON CONFLICT DO NOTHING", "idle"],
  ["BEGIN", "transaction"],
  ["BEGIN; SELECT 1; COMMIT", "idle"],
  ["SELECT 1; BEGIN; SELECT 2", "transaction"],
  ["COMMIT", "idle"],
  ["", "idle"],
  ["SET work_mem = '8MB'", "idle"],
] as const)("after %j the status is %s", async (text, status) => {
  expect(connection.status).toBe("idle");
  const running = run(text);
  expect(connection.status).toBe("busy");
  await running;
  expect(connection.status).toBe(status);
});

test.each([
  [[], "SELECT * FROM nowhere", "42P01", "idle"],
  [[], "SELECT 1; SELECT 1/0; SELECT 3", "22012", "idle"],
  [["BEGIN"], "SELECT 1/0", "22012", "failed"],
  [["BEGIN", "SELECT 1/0"], "SELECT 1", "25P02", "failed"],
  [["BEGIN", "SAVEPOINT s"], "SELECT 1/0", "22012", "failed"],
  [["BEGIN", "UPDATE thing SET parent = 99 WHERE id = 1"], "COMMIT", "23503", "idle"],
  [[], "UPDATE thing SET parent = 99 WHERE id = 1", "23503", "idle"],
] as const)(
  "after %j the error of %j is %s, known only when the server is ready: then the status is %s",
  async (before, text, code, status) => {
    for (const each of before) await run(each).catch(() => {});
    expect(await rejection(run(text))).toMatchObject({ code });
    expect(connection.status).toBe(status);
  },
);

test("ROLLBACK TO heals a failed transaction", async () => {
  for (const text of ["BEGIN", "SAVEPOINT s"]) await run(text);
  await run("SELECT 1/0").catch(() => {});
  await run("ROLLBACK TO s");
  expect(connection.status).toBe("transaction");
  expect((await run("ROLLBACK")).command).toBe("ROLLBACK");
  expect(connection.status).toBe("idle");
});

test("COMMIT of a failed transaction is answered with ROLLBACK", async () => {
  await run("BEGIN");
  await run("SELECT 1/0").catch(() => {});
  expect((await run("COMMIT")).command).toBe("ROLLBACK");
});

test("a text with several statements gives the last result and all of them", async () => {
  const result = await run("SELECT 1 AS a; SELECT 2 AS b UNION SELECT 3; SET work_mem = '8MB'");
  expect(result.command).toBe("SET");
  expect(result.results?.map(({ rows }) => rows)).toEqual([[{ a: 1 }], [{ b: 2 }, { b: 3 }], []]);
});

test("values, named statements and row modes of pg are passed on", async () => {
  expect((await run("SELECT $1::int AS n, $2::text AS t", [7, "seven"])).rows).toEqual([{ n: 7, t: "seven" }]);
  const named = { name: "named", text: "SELECT $1::int AS n", values: [1] };
  for (let i = 0; i < 3; i += 1) expect((await connection.run(named)).rows).toEqual([{ n: 1 }]);
  const arrays = await connection.run({ text: "SELECT 1, 2", rowMode: "array" });
  expect(arrays.rows).toEqual([[1, 2]]);
});

test("values that cannot be converted are the caller's error, and the connection goes on", async () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const poison = {
    toPostgres: () => {
      throw new Error("no");
    },
  };
  for (const value of [circular, poison]) {
    const error = await rejection(run("SELECT $1::text", [value]));
    expect(driver.classify(error).kind).toBe("statement");
    expect((await run("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    expect(connection.status).toBe("idle");
  }
  expect(await rejection(connection.run({ text: "SELECT 1", values: "x" as unknown as unknown[] }))).toBeInstanceOf(
    TypeError,
  );
  expect(connection.status).toBe("idle");
});

test("a wrong number of values is the server's error, and the connection goes on", async () => {
  expect(await rejection(run("SELECT $1::int", [1, 2]))).toMatchObject({ code: "08P01" });
  expect((await run("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
});

test("a cancel ends the running statement and nothing else", async () => {
  const running = rejection(run("SELECT pg_sleep(60)"));
  await sleep(50);
  await connection.cancel(new AbortController().signal);
  expect(await running).toMatchObject({ code: "57014" });
  expect(connection.status).toBe("idle");
  expect((await run("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
});

test("a cancel that nobody takes ends with its signal", async () => {
  await node.proxy.blackHole();
  const attempt = new AbortController();
  const cancelling = rejection(connection.cancel(attempt.signal));
  await sleep(20);
  attempt.abort();
  expect(await cancelling).toBeInstanceOf(Error);
});

test("destroy cuts the statement that runs, and tells once", async () => {
  let told = 0;
  connection.onClose(() => {
    told += 1;
  });
  const running = rejection(run("SELECT pg_sleep(60)"));
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
  expect(await rejection(run("INSERT INTO thing VALUES (3)"))).toBeInstanceOf(NotSentError);
  const other = await open(node);
  await other.close();
  expect(other.status).toBe("closed");
  expect(await rejection(other.run({ text: "SELECT 1" }))).toBeInstanceOf(NotSentError);
  expect(await node.query("SELECT id FROM thing WHERE id = 3")).toEqual([]);
});

test("close says goodbye, and is bounded when nobody answers", async () => {
  await connection.close();
  await connection.close();
  const other = await open(node);
  await node.freeze();
  const start = performance.now();
  await other.close();
  expect(performance.now() - start).toBeLessThan(1_000);
});

const ends: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["the backend is terminated (57P01)", () => node.terminateBackends()],
  ["the server crashes (57P02, a notice)", () => node.stop("immediate")],
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
    const running = rejection(run("SELECT pg_sleep(60)"));
    await sleep(50);
    await end();
    expect(driver.classify(await running).kind).toBe("gone");
    expect(connection.status).toBe("closed");
    const deadline = performance.now() + 5_000;
    while (!isTold && performance.now() < deadline) await sleep(5);
    expect(isTold).toBe(true);
    expect(await rejection(idle.run({ text: "SELECT 1" }))).toBeInstanceOf(NotSentError);
  },
);

test("a connection that breaks in the middle of an answer rejects it as gone", async () => {
  await node.proxy.cutAfter(10_000, "down");
  const error = await rejection(run("SELECT repeat('x', 100) FROM generate_series(1, 10000)"));
  expect(driver.classify(error).kind).toBe("gone");
});

test("a notice is no error", async () => {
  const result = await run("DO $$ BEGIN RAISE NOTICE 'hello'; END $$");
  expect(result.command).toBe("DO");
  expect(connection.status).toBe("idle");
});

test("many statements one after the other keep their order and their answers", async () => {
  for (let i = 0; i < 200; i += 1) {
    const text = i % 3 === 0 ? "SELECT 1/$1::int AS n" : "SELECT $1::int AS n";
    const answer = await run(text, [i % 3 === 0 ? 0 : i]).then(
      ({ rows }) => rows[0]?.["n"],
      (error: unknown) => (error as { readonly code: string }).code,
    );
    expect(answer).toBe(i % 3 === 0 ? "22012" : i);
  }
});
