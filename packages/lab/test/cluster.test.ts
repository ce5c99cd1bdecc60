import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import { type ClusterOptions, createCluster, type LabCluster } from "../src/index.ts";
import { until } from "../src/wait.ts";
import { connectTo, failureOf } from "./application.ts";

let cluster: LabCluster;
beforeAll(async () => {
  cluster = await createCluster();
});
afterAll(() => cluster.close());

test("a primary and two streaming mirrors by default, each behind a proxy of its own", async () => {
  expect(cluster.nodes.map((node) => node.name)).toEqual(["node1", "node2", "node3"]);
  expect(cluster.primary()).toBe(cluster.node("node1"));
  expect(cluster.mirrors()).toEqual([cluster.node("node2"), cluster.node("node3")]);
  expect(cluster.urls).toEqual(cluster.nodes.map((node) => `postgresql://app:secret@127.0.0.1:${node.port}/app`));
  expect(new Set(cluster.nodes.flatMap((node) => [node.port, node.directPort])).size).toBe(6);
  const replicas = await cluster
    .primary()
    .query("SELECT application_name AS name, state, sync_state FROM pg_stat_replication ORDER BY 1");
  expect(replicas).toEqual([
    { name: "node2", state: "streaming", sync_state: "async" },
    { name: "node3", state: "streaming", sync_state: "async" },
  ]);
});

test("all nodes are one cluster on one timeline", async () => {
  const ids = await Promise.all(
    cluster.nodes.map(
      async (node) => (await node.query<{ id: string }>("SELECT system_identifier AS id FROM pg_control_system()"))[0],
    ),
  );
  expect(new Set(ids.map((row) => row?.id)).size).toBe(1);
  expect(await Promise.all(cluster.nodes.map((node) => node.timeline()))).toEqual([1, 1, 1]);
});

test("two clusters of one process are different clusters", async () => {
  await using other = await createCluster({ mirrors: 0 });
  const sql = "SELECT system_identifier AS id FROM pg_control_system()";
  expect(await other.primary().query(sql)).not.toEqual(await cluster.primary().query(sql));
});

test("the application's role is an ordinary user that owns its database", async () => {
  const { client } = await connectTo(cluster.primary().url);
  await client.query("CREATE TABLE owned (id int PRIMARY KEY)");
  const { rows } = await client.query("SELECT rolsuper FROM pg_roles WHERE rolname = current_user");
  expect(rows).toEqual([{ rolsuper: false }]);
});

test("what is written to the primary can be read on the mirrors once they have caught up", async () => {
  const primary = await connectTo(cluster.primary().url);
  await primary.client.query("CREATE TABLE copied AS SELECT generate_series(1, 1000) AS id");
  await cluster.caughtUp();
  for (const mirror of cluster.mirrors()) {
    const { client } = await connectTo(mirror.url);
    expect((await client.query("SELECT count(*)::int AS n FROM copied")).rows).toEqual([{ n: 1000 }]);
    expect(await failureOf(client.query("INSERT INTO copied VALUES (0)"))).toBe("25006");
  }
});

test("a wrong password is refused", async () => {
  const url = cluster.primary().url.replace("secret", "wrong");
  expect(await failureOf(connectTo(url))).toBe("28P01");
  expect(await failureOf(connectTo(url.replace("/app:", "/nobody:")))).toBe("28P01");
});

test("direct and admin URLs lead past the proxy", async () => {
  const node = cluster.primary();
  await node.proxy.refuse();
  onTestFinished(() => node.proxy.heal());
  expect(await failureOf(connectTo(node.url))).toBe("ECONNREFUSED");
  await connectTo(node.directUrl);
  const { client } = await connectTo(node.adminUrl);
  expect((await client.query("SELECT current_user AS name")).rows).toEqual([{ name: "lab" }]);
});

test("query takes parameters and passes SQL errors on", async () => {
  expect(await cluster.primary().query<{ n: number }>("SELECT $1::int + 1 AS n", [41])).toEqual([{ n: 42 }]);
  expect(await failureOf(cluster.primary().query("SELECT 1/0"))).toBe("22012");
});

test("an unknown node is named together with those there are", () => {
  expect(() => cluster.node("node9")).toThrow('there is no node "node9", only node1, node2, node3');
});

test("a synchronous cluster does not acknowledge what no mirror has", async () => {
  await using synchronous = await createCluster({ mirrors: 1, synchronous: true });
  const [primary, mirror] = synchronous.nodes;
  if (!primary || !mirror) throw new Error("two nodes");
  const { client } = await connectTo(primary.url);
  await client.query("CREATE TABLE t (id int)");
  await mirror.kill();
  let isAcknowledged = false;
  const insert = client.query("INSERT INTO t VALUES (1)").then(() => {
    isAcknowledged = true;
  });
  const waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
  await until("the commit to wait for the mirror", async () => (await primary.query(waiting)).length === 1);
  expect(isAcknowledged).toBe(false);
  await mirror.start();
  await insert;
});

test("a custom login, few connections, own settings, no proxies", async () => {
  await using custom = await createCluster({
    ...{ mirrors: 1, maxConnections: 5, proxies: false, settings: { work_mem: "1234kB" } },
    ...{ user: "we ird/@", password: "p'a\\s:s/@", database: 'da\'ta "base"' },
  });
  const node = custom.node("node2");
  expect(node.port).toBe(node.directPort);
  expect(() => node.proxy).toThrow("node2 has no proxy");
  const { client } = await connectTo(node.url);
  const { rows } = await client.query(
    "SELECT current_user AS u, current_database() AS d, current_setting('work_mem') AS w, current_setting('max_connections') AS m",
  );
  expect(rows).toEqual([{ u: "we ird/@", d: 'da\'ta "base"', w: "1234kB", m: "5" }]);
});

test("more connections than max_connections are refused with 53300, but not to the lab itself", async () => {
  await using small = await createCluster({ mirrors: 0, maxConnections: 5 });
  const node = small.primary();
  await connectTo(node.url);
  await connectTo(node.url);
  expect(await failureOf(connectTo(node.url))).toBe("53300");
  expect(await node.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
});

test("dataDir says where the files are, and nothing stays there", async () => {
  const parent = await mkdtemp(join(tmpdir(), "lab-test-"));
  await chmod(parent, 0o755);
  onTestFinished(() => rm(parent, { recursive: true }));
  const elsewhere = await createCluster({ mirrors: 0, dataDir: parent });
  const [row] = await elsewhere.primary().query<{ data_directory: string }>("SHOW data_directory");
  expect(row?.data_directory.startsWith(parent)).toBe(true);
  await elsewhere.close();
  expect(await readdir(parent)).toEqual([]);
});

test("close is idempotent, ends waits, and later calls say so", async () => {
  const closing = await createCluster({ mirrors: 1 });
  const [primary, mirror] = closing.nodes;
  if (!primary || !mirror) throw new Error("two nodes");
  await mirror.lag(true);
  await primary.query("CREATE TABLE t (id int)");
  const waiting = failureOf(closing.caughtUp());
  await Promise.all([closing.close(), closing.close()]);
  await closing.close();
  expect(await waiting).toBe("aborted");
  expect(primary.isRunning).toBe(false);
  expect(await failureOf(primary.query("SELECT 1"))).toBe("wrong-state");
});

test("aborting the start ends it and leaves nothing running", async () => {
  expect(await failureOf(createCluster({ signal: AbortSignal.abort() }))).toBe("aborted");
  expect(await failureOf(createCluster({ signal: AbortSignal.timeout(100) }))).toBe("aborted");
  expect(await failureOf(createCluster({ signal: AbortSignal.timeout(700) }))).toBe("aborted");
});

test("a server that does not start fails with the end of its log, without passwords", async () => {
  const error: unknown = await createCluster({ mirrors: 1, settings: { shared_buffers: "nonsense secret" } }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: "server-failed" });
  expect(String(error)).toContain("shared_buffers");
});

test.each<[options: object, message: string]>([
  [{ mirrors: 9 }, "mirrors: expected 0-8, got 9"],
  [{ mirrors: 1.5 }, "mirrors: expected 0-8, got 1.5"],
  [{ mirrors: 0, synchronous: true }, "synchronous: expected false without mirrors, got true"],
  [{ maxConnections: 4 }, "maxConnections: expected 5-10000, got 4"],
  [{ diskBytes: 1 }, "diskBytes: expected at least 67108864, got 1"],
  [{ user: "lab" }, 'user: expected another name than "lab", which is the lab\'s own, got "lab"'],
  [{ password: "a\nb" }, 'password: expected a text without control characters, got "***"'],
  [{ system: "mysql" }, 'system: expected "embedded", "system" or { bin: string }, got "mysql"'],
  [{ server: "oracle" }, 'server: expected "postgres", "mariadb", "mysql", got "oracle"'],
  [{ server: "mariadb", maxConnections: 12 }, "maxConnections: expected 13-10000, got 12"],
  [{ server: "mysql", diskBytes: 2 ** 26 }, "diskBytes: expected at least 268435456, got 67108864"],
  [{ mirror: 1 }, "mirror: expected no such option"],
])("%o is rejected", async (options, message) => {
  await expect(createCluster(options as ClusterOptions)).rejects.toMatchObject({ code: "invalid-option", message });
});

test("a folder without PostgreSQL is rejected", async () => {
  expect(await failureOf(createCluster({ system: { bin: "/usr/share" } }))).toBe("not-possible-here");
});
