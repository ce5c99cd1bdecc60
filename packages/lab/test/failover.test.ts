import { expect, onTestFinished, test } from "vitest";
import { type ClusterOptions, createCluster, type LabCluster, type LabNode } from "../src/index.ts";
import { connectTo, failureOf } from "./application.ts";

async function boot(options: ClusterOptions = {}): Promise<LabCluster> {
  const cluster = await createCluster(options);
  onTestFinished(() => cluster.close());
  await cluster.primary().query("CREATE TABLE t (id int PRIMARY KEY); GRANT ALL ON t TO app");
  await cluster.caughtUp();
  return cluster;
}

async function idsOn(node: LabNode): Promise<readonly number[]> {
  return (await node.query<{ id: number }>("SELECT id FROM t ORDER BY id")).map((row) => row.id);
}

async function streamsTo(node: LabNode): Promise<readonly string[]> {
  const rows = await node.query<{ name: string }>(
    "SELECT application_name AS name FROM pg_stat_replication WHERE state = 'streaming' ORDER BY 1",
  );
  return rows.map((row) => row.name);
}

test("kill, promote, rejoin: the survivors follow the new primary and the old one comes back as a mirror", async () => {
  const cluster = await boot();
  const [node1, node2] = [cluster.node("node1"), cluster.node("node2")];
  const mirrorSession = await connectTo(node2.url);

  await node1.kill();
  expect([node1.isRunning, node1.pid]).toEqual([false, undefined]);
  expect(await failureOf(connectTo(node1.url))).toBe("ECONNREFUSED");

  const ms = await cluster.promote("node2");
  expect(ms).toBeLessThan(5_000);
  expect(cluster.primary()).toBe(node2);
  expect(cluster.mirrors().map((node) => node.name)).toEqual(["node3"]);
  // a session that was open on the mirror survives and can write now
  await mirrorSession.client.query("INSERT INTO t VALUES (1)");
  expect(await streamsTo(node2)).toEqual(["node3"]);
  expect(await Promise.all([node2, cluster.node("node3")].map((node) => node.timeline()))).toEqual([2, 2]);

  await cluster.rejoin("node1");
  expect(await streamsTo(node2)).toEqual(["node1", "node3"]);
  expect(cluster.mirrors().map((node) => node.name)).toEqual(["node3", "node1"]);
  await cluster.caughtUp();
  expect(await idsOn(node1)).toEqual([1]);
  expect(await node1.timeline()).toBe(2);
  const rejoined = await connectTo(node1.url);
  expect(await failureOf(rejoined.client.query("INSERT INTO t VALUES (2)"))).toBe("25006");
});

test("a promotion beside a living primary makes two; the old one's timeline gives it away, and rejoining discards its writes", async () => {
  const cluster = await boot();
  const [old, next] = [cluster.primary(), cluster.node("node3")];
  await cluster.promote(next);
  await old.query("INSERT INTO t VALUES (100)");
  await next.query("INSERT INTO t VALUES (200)");
  expect([await old.timeline(), await next.timeline()]).toEqual([1, 2]);
  expect([await idsOn(old), await idsOn(next)]).toEqual([[100], [200]]);
  await cluster.rejoin(old);
  await cluster.caughtUp();
  expect(await idsOn(old)).toEqual([200]);
});

test.each<[state: string, bring: (node: LabNode) => Promise<void>]>([
  ["killed", (node) => node.kill()],
  ["frozen", (node) => node.freeze()],
  ["stopped in good order", (node) => node.stop("fast")],
  ["stopped at once", (node) => node.stop("immediate")],
  ["running", async () => {}],
])("an old primary that is %s rejoins", async (_, bring) => {
  const cluster = await boot({ mirrors: 1 });
  const old = cluster.primary();
  await bring(old);
  await cluster.promote("node2");
  await cluster.rejoin(old);
  expect(await streamsTo(cluster.primary())).toEqual(["node1"]);
});

test("a switchover loses nothing, and the old primary is a mirror without being copied", async () => {
  const cluster = await boot();
  const old = cluster.primary();
  const { client } = await connectTo(old.url);
  const acknowledged: number[] = [];
  const writing = (async () => {
    for (let id = 1; ; id++) {
      await client.query("INSERT INTO t VALUES ($1)", [id]);
      acknowledged.push(id);
    }
  })();
  const ended = failureOf(writing);
  while (acknowledged.length < 20) await new Promise((resolve) => setTimeout(resolve, 1));
  const ms = await cluster.switchover("node2");
  expect(ms).toBeLessThan(5_000);
  // told by the server, or by the driver if that was between two statements
  expect(await ended).toMatch(/57P01|not queryable/);
  expect(cluster.primary().name).toBe("node2");
  expect(await streamsTo(cluster.primary())).toEqual(["node1", "node3"]);
  expect(await idsOn(cluster.primary())).toEqual(expect.arrayContaining(acknowledged));
  await cluster.switchover("node1");
  expect(await streamsTo(cluster.primary())).toEqual(["node2", "node3"]);
  expect(await old.timeline()).toBe(3);
});

test("a switchover to a mirror that cannot catch up is given up, and the old primary goes on", async () => {
  const cluster = await boot();
  await cluster.node("node2").replicate(false);
  await cluster.primary().query("INSERT INTO t VALUES (1)");
  expect(await failureOf(cluster.switchover("node2", { timeoutMs: 1_000 }))).toBe("timeout");
  expect(cluster.primary().name).toBe("node1");
  await cluster.primary().query("INSERT INTO t VALUES (2)");
});

test("a synchronous cluster accepts writes after a failover as soon as the other mirror follows", async () => {
  const cluster = await boot({ synchronous: true });
  await cluster.primary().kill();
  await cluster.promote("node3");
  const { client } = await connectTo(cluster.primary().url);
  await client.query("INSERT INTO t VALUES (1)");
  await cluster.rejoin("node1");
  await cluster.switchover("node1");
  expect(await idsOn(cluster.primary())).toEqual([1]);
});

test("a mirror that was cut off lacks acknowledged writes when it is promoted", async () => {
  const cluster = await boot({ mirrors: 1 });
  const mirror = cluster.node("node2");
  await cluster.primary().query("INSERT INTO t VALUES (1)");
  await cluster.caughtUp();
  await mirror.replicate(false);
  await cluster.primary().query("INSERT INTO t VALUES (2)");
  await cluster.primary().kill();
  await cluster.promote(mirror);
  expect(await idsOn(mirror)).toEqual([1]);
});

test("a lagging mirror replays what it received before it becomes primary", async () => {
  const cluster = await boot({ mirrors: 1 });
  const mirror = cluster.node("node2");
  await mirror.lag(true);
  await cluster.primary().query("INSERT INTO t VALUES (1)");
  expect(await idsOn(mirror)).toEqual([]);
  await cluster.primary().stop("fast");
  await cluster.promote(mirror);
  expect(await idsOn(mirror)).toEqual([1]);
});

test("a mirror that was down or frozen during a promotion follows when it is back", async () => {
  const cluster = await boot({ mirrors: 3 });
  const [, node2, node3, node4] = cluster.nodes;
  if (!node2 || !node3 || !node4) throw new Error("four nodes");
  await node3.stop();
  await node4.freeze();
  await cluster.primary().kill();
  await cluster.promote(node2);
  await node2.query("INSERT INTO t VALUES (1)");
  await node3.start();
  await node4.thaw();
  await cluster.caughtUp();
  expect([await idsOn(node3), await idsOn(node4)]).toEqual([[1], [1]]);
});

test("a promotion without follow leaves the other mirrors with the old primary", async () => {
  const cluster = await boot();
  await cluster.promote("node2", { follow: false });
  expect(await streamsTo(cluster.node("node1"))).toEqual(["node3"]);
});

test("a killed primary that is started again is a primary, with all that it had acknowledged", async () => {
  const cluster = await boot();
  const node = cluster.primary();
  await node.query("INSERT INTO t VALUES (1)");
  await node.kill();
  await node.start();
  await node.query("INSERT INTO t VALUES (2)");
  await cluster.caughtUp();
  expect(await idsOn(cluster.node("node2"))).toEqual([1, 2]);
});

test("what does not fit the state is refused and changes nothing", async () => {
  const cluster = await boot();
  const [node1, node2, node3] = cluster.nodes;
  if (!node1 || !node2 || !node3) throw new Error("three nodes");
  await expect(cluster.promote(node1)).rejects.toThrow("node1 is the primary already");
  await expect(cluster.rejoin(node1)).rejects.toThrow("node1 is the primary: there is nothing to rejoin");
  await node2.freeze();
  await expect(cluster.promote(node2)).rejects.toThrow("node2 is frozen");
  await expect(node2.stop()).rejects.toThrow("node2 is frozen and cannot stop");
  await node2.kill();
  await expect(cluster.promote(node2)).rejects.toThrow("node2 is not running");
  await expect(node2.freeze()).rejects.toThrow("node2 is not running");
  await expect(node2.query("SELECT 1")).rejects.toThrow("node2 is not running");
  await expect(node3.start()).rejects.toThrow("node3 is running already");
  await expect(node1.replicate(false)).rejects.toThrow("node1 is no mirror");
  await cluster.promote(node3);
  await expect(cluster.promote(node1)).rejects.toThrow("node1 is a former primary and no mirror: rejoin it first");
});
