import { inspect } from "node:util";
import { AcquireTimeoutError, CommitUnknownError, NoPrimaryError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { anyMirror, countRows, mend, promoteMirror, running } from "./support/cluster.ts";
import { LATE_MS, rejection, settle } from "./support/outcome.ts";
import { openPool, record, underWay } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE task (id int)");
});
afterEach(async () => {
  await mend(cluster);
  await cluster.primary().query("ALTER ROLE app PASSWORD 'secret' CONNECTION LIMIT -1");
  await cluster.caughtUp();
});
afterAll(() => cluster?.close());

test("a server with too few connections makes callers wait, and is not left", async () => {
  await using pool = openPool(cluster, { pool: { warm: 0 } });
  const events = record(pool);
  await pool.start();
  // one is the monitor's
  await cluster.primary().connectionLimit(3);
  const calls = Array.from({ length: 30 }, () => settle(pool.query("INSERT INTO task SELECT 1 FROM pg_sleep(0.02)")));
  for (const { error } of await Promise.all(calls)) expect(error).toBeUndefined();
  const { opened, failed } = pool.stats().nodes[cluster.primary().name] ?? {};
  expect(opened).toBe(2);
  expect(failed).toBeGreaterThan(0);
  expect(failed).toBeLessThan(30);
  expect(events.filter(({ name }) => name === "node-down" || name === "primary-lost")).toEqual([]);
});

test("a server that gives no connection at all ends calls after acquireMs, and is not left", async () => {
  await using pool = openPool(cluster, { pool: { warm: 0 }, timeouts: { acquireMs: 400 } });
  await pool.start();
  await cluster.primary().connectionLimit(1);
  const { error, ms } = await settle(pool.query("INSERT INTO task VALUES (2)"));
  expect(error).toBeInstanceOf(AcquireTimeoutError);
  expect(error).toMatchObject({ node: cluster.primary().name, retryable: true, cause: { code: "53300" } });
  expect(ms).toBeLessThan(400 + LATE_MS);
  expect(pool.topology()).toMatchObject({ epoch: 1, primary: cluster.primary().name });
  await cluster.primary().connectionLimit(null);
  await until(
    "a connection",
    async () => (await settle(pool.query("INSERT INTO task VALUES (3)"))).error === undefined,
  );
  expect(await countRows(cluster.primary(), "task", "id = 2")).toBe(0);
});

test("a server whose last connection was the monitor's own is not declared down for that", async () => {
  await using pool = openPool(cluster, { pool: { warm: 0 } });
  const events = record(pool);
  await pool.query("INSERT INTO task VALUES (4)");
  await cluster.primary().connectionLimit(0);
  cluster.primary().proxy.dropConnections();
  await until("the pool to notice", () => pool.stats().nodes[cluster.primary().name]?.idle === 0);
  const write = settle(pool.query("INSERT INTO task VALUES (4)"));
  await until("the refusal", () => (pool.stats().nodes[cluster.primary().name]?.failed ?? 0) > 2);
  await cluster.primary().connectionLimit(null);
  expect((await write).error).toBeUndefined();
  expect(events.filter(({ name }) => name === "node-down" || name === "primary-lost")).toEqual([]);
});

test("a wrong password is named, makes no storm of logins, and is shown nowhere", async () => {
  const password = "correct-horse-battery";
  const nodes = cluster.nodes.map(({ name, url }) => ({ name, url: url.replace("secret", password) }));
  await using pool = openPool(cluster, { nodes, timeouts: { failoverMs: 2_000 } });
  const events = record(pool);
  const before = cluster.nodes.map(({ proxy }) => proxy.stats.connections.accepted);
  const errors: unknown[] = [];
  const until2 = performance.now() + 2_000;
  const callers = Array.from({ length: 20 }, async () => {
    while (performance.now() < until2) {
      const { error } = await settle(pool.query("INSERT INTO task VALUES (5)"));
      errors.push(error);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  await Promise.all(callers);
  for (const error of errors) {
    expect(error).toBeInstanceOf(NoPrimaryError);
    expect((error as NoPrimaryError).message).toContain(
      "every node refused our login: configuration (28P01: wrong user or password)",
    );
  }
  const attempts = cluster.nodes.map(({ proxy }, i) => proxy.stats.connections.accepted - (before[i] ?? 0));
  for (const each of attempts) expect(each).toBeLessThan(10);
  expect(events).toContainEqual({
    name: "node-misconfigured",
    node: "node1",
    reason: "configuration (28P01: wrong user or password)",
  });
  const shown = [pool, pool.topology(), pool.stats(), events, ...errors.slice(0, 3), ...errors.slice(-3)].flatMap(
    (each) => [
      inspect(each, { depth: 20, showHidden: true }),
      JSON.stringify(each) ?? "",
      String(each),
      each instanceof Error ? (each.stack ?? "") : "",
    ],
  );
  for (const text of shown) expect(text).not.toContain(password);
});

test("where every node refuses the login, start() says so at once and does not wait for what cannot come", async () => {
  const nodes = cluster.nodes.map(({ name, url }) => ({ name, url: url.replace("secret", "wrong") }));
  await using pool = openPool(cluster, { nodes, timeouts: { failoverMs: 600_000 } });
  const error = await rejection(pool.start());
  expect(error).toBeInstanceOf(NoPrimaryError);
  expect((error as NoPrimaryError).message).toContain("every node refused our login: configuration (28P01");
});

test("a wrong password is told at once also while another node is down, which could not mend that", async () => {
  await anyMirror(cluster).stop();
  const nodes = cluster.nodes.map(({ name, url }) => ({ name, url: url.replace("secret", "wrong") }));
  await using pool = openPool(cluster, { nodes, timeouts: { failoverMs: 600_000, statementMs: 600_000 } });
  const reason = "every node that answers refused our login: configuration (28P01";
  for (const call of [pool.start(), pool.query("INSERT INTO task VALUES (5)"), pool.query("SELECT 1")])
    expect(String(await rejection(call))).toContain(reason);
});

test("where only a mirror refuses the login, a write waits for the primary that is away", async () => {
  const primary = cluster.primary();
  const { name, url } = anyMirror(cluster);
  const mirror = { name, url: url.replace("secret", "wrong") };
  await using pool = openPool(cluster, { nodes: [{ name: primary.name, url: primary.url }, mirror] });
  await pool.query("INSERT INTO task VALUES (8)");
  await primary.kill();
  await until("the loss to be seen", () => pool.topology().primary === undefined);
  const write = settle(pool.query("INSERT INTO task VALUES (8)"));
  await until("the write to wait", () => pool.stats().waitingForNode === 1);
  await primary.start();
  expect((await write).error).toBeUndefined();
});

test("a password that is changed under a running pool disturbs no open connection, and new ones name the reason", async () => {
  await using pool = openPool(cluster, { pool: { max: 2, warm: 0 } });
  const events = record(pool);
  await pool.query("INSERT INTO task VALUES (6)");
  await cluster.primary().query("ALTER ROLE app PASSWORD 'changed'");
  await pool.query("INSERT INTO task VALUES (6)");
  const holder = await pool.connect();
  await holder.query("BEGIN");
  expect(await rejection(pool.query("INSERT INTO task VALUES (7)"))).toMatchObject({ code: "28P01" });
  await holder.query("INSERT INTO task VALUES (6)");
  await holder.query("COMMIT");
  holder.release();
  await pool.query("INSERT INTO task VALUES (6)");
  expect(await countRows(cluster.primary(), "task", "id = 6")).toBe(4);
  expect(events.filter(({ name }) => name === "node-down" || name === "primary-lost")).toEqual([]);
});

test("a password function is asked again when the server refuses what it gave before, and no call fails", async () => {
  let password = "secret";
  let calls = 0;
  const nodes = cluster.nodes.map(({ name, host, port }) => ({
    ...{ name, host, port, user: "app", database: "app" },
    password: async () => {
      calls += 1;
      return password;
    },
  }));
  await using pool = openPool(cluster, { nodes });
  await pool.query("INSERT INTO task VALUES (8)");
  const before = calls;
  expect(before).toBeLessThanOrEqual(6);
  password = "rotated";
  await cluster.primary().query("ALTER ROLE app PASSWORD 'rotated'");
  await cluster.caughtUp();
  for (const { proxy } of cluster.nodes) proxy.dropConnections();
  await until("the pool to notice", () => pool.stats().nodes[cluster.primary().name]?.idle === 0);
  await Promise.all(Array.from({ length: 20 }, () => pool.query("INSERT INTO task VALUES (9)")));
  expect(await countRows(cluster.primary(), "task", "id = 9")).toBe(20);
  expect(calls).toBeGreaterThan(before);
  expect(calls).toBeLessThan(before + 20);
});

test("a password function that fails or hangs fails the call, not the process", async () => {
  const nodes = cluster.nodes.map(({ name, url }) => ({
    name,
    url,
    password: () => Promise.reject(new Error("no vault")),
  }));
  await using failing = openPool(cluster, { nodes });
  expect(await rejection(failing.query("SELECT 1", [], { timeoutMs: 300 }))).toMatchObject({ code: "NO_NODE" });
  const hanging = openPool(cluster, {
    nodes: cluster.nodes.map(({ name, url }) => ({ name, url, password: () => new Promise<string>(() => {}) })),
  });
  const { error, ms } = await settle(hanging.query("SELECT 1", [], { timeoutMs: 300 }));
  expect(error).toMatchObject({ code: "NO_NODE" });
  expect(ms).toBeLessThan(300 + LATE_MS);
  expect((await settle(hanging.close())).ms).toBeLessThan(LATE_MS);
});

test("a primary that restarts is waited for, and at most what was in flight is of unknown fate", async () => {
  await using pool = openPool(cluster);
  const errors: unknown[] = [];
  let writes = 0;
  let isOver = false;
  const writers = Array.from({ length: 8 }, async () => {
    while (!isOver) {
      const { error } = await settle(pool.query("INSERT INTO task VALUES (10)"));
      if (error === undefined) writes += 1;
      else errors.push(error);
    }
  });
  await until("writes", () => writes > 50);
  // crash recovery: 57P03 until it is through
  await cluster.primary().kill();
  await cluster.primary().start();
  const before = writes;
  await until("writes to go on", () => writes > before + 50);
  isOver = true;
  await Promise.all(writers);
  expect(errors.length).toBeLessThanOrEqual(8);
  for (const error of errors) expect(error).toBeInstanceOf(CommitUnknownError);
  const rows = await countRows(cluster.primary(), "task", "id = 10");
  expect(rows).toBeGreaterThanOrEqual(writes);
  expect(rows).toBeLessThanOrEqual(writes + errors.length);
  expect(pool.stats().failovers).toBe(0);
});

test("a server that shuts down smartly works off what it has, and its successor does the rest", async () => {
  await using pool = openPool(cluster);
  await pool.query("INSERT INTO task VALUES (11)");
  const old = cluster.primary();
  const stopped = settle(old.stop("smart"));
  // 57P03: it takes no new logins, and waits for those that are there
  await until("new logins to be refused", async () => (await settle(old.query("SELECT 1"))).error !== undefined);
  await Promise.all(Array.from({ length: 5 }, () => pool.query("INSERT INTO task VALUES (12)")));
  await cluster.caughtUp().catch(() => {});
  await promoteMirror(cluster);
  await until("the pool to follow", () => pool.topology().primary === cluster.primary().name);
  await pool.query("INSERT INTO task VALUES (12)");
  // the monitor's own connection would hold it back for ever
  await old.stop("fast");
  expect((await stopped).error).toBeUndefined();
  expect(await countRows(cluster.primary(), "task", "id = 12")).toBe(6);
});

test("ending idle and busy backends is no failover", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await Promise.all(Array.from({ length: 10 }, () => pool.query("INSERT INTO task VALUES (20)")));
  await until("the warm connections", () => Object.values(pool.stats().nodes).every(({ idle }) => idle > 0));
  for (const node of cluster.nodes) await node.terminateBackends();
  await until("the pool to notice", () => pool.stats().nodes[cluster.primary().name]?.idle === 0);
  await pool.query("INSERT INTO task VALUES (20)");
  const busy = settle(pool.query("INSERT INTO task SELECT 21 FROM pg_sleep(5)"));
  await running(cluster.primary(), "SELECT 21");
  await cluster.primary().terminateBackends();
  expect((await busy).error).toBeInstanceOf(CommitUnknownError);
  await pool.query("INSERT INTO task VALUES (22)");
  expect(await countRows(cluster.primary(), "task", "id = 21")).toBe(0);
  expect(events.filter(({ name }) => name === "node-down" || name === "primary-lost")).toEqual([]);
  expect(pool.topology().epoch).toBe(1);
});

test("writes to a primary that was made read-only wait, and go on when that is lifted", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await pool.query("INSERT INTO task VALUES (30)");
  await cluster.primary().readOnly(true);
  const writes = Array.from({ length: 10 }, () => settle(pool.query("INSERT INTO task VALUES (31)")));
  const transaction = settle(
    pool.transaction(async (tx) => void (await tx.query("INSERT INTO task VALUES (31)")), { retries: 5 }),
  );
  await until("the writes to wait", () => pool.stats().waitingForNode === 11);
  expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  await cluster.primary().readOnly(false);
  for (const { error } of await Promise.all([...writes, transaction])) expect(error).toBeUndefined();
  expect(await countRows(cluster.primary(), "task", "id = 31")).toBe(11);
  expect(events.map(({ name }) => name)).toContain("primary-restored");
  expect(pool.stats()).toMatchObject({ failovers: 0, commitUnknown: 0 });
});

test("writes to a primary that was made read-only go to its successor", async () => {
  await using pool = openPool(cluster);
  await pool.query("INSERT INTO task VALUES (40)");
  await cluster.caughtUp();
  const old = cluster.primary();
  await old.readOnly(true);
  const writes = Array.from({ length: 10 }, () => settle(pool.query("INSERT INTO task VALUES (41)")));
  await until("the writes to wait", () => pool.stats().waitingForNode === 10);
  await promoteMirror(cluster);
  for (const { error } of await Promise.all(writes)) expect(error).toBeUndefined();
  expect(await countRows(cluster.primary(), "task", "id = 41")).toBe(10);
  await old.readOnly(false);
  await until("the pool to come to rest", () => underWay(pool) === 0);
  await pool.query("INSERT INTO task VALUES (42)");
  expect(await countRows(old, "task", "id IN (41, 42)")).toBe(0);
});
