import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type ClusterOptions, createCluster, type LabCluster, type LabNode, type ServerKind } from "../../src/index.ts";
import { until } from "../../src/wait.ts";
import { connectTo, failureOf } from "./application.ts";

const READ_ONLY = 1290;
const DISK_FULL = 1114;
/** Much longer than a healthy server needs for an answer. */
const SILENCE_MS = 300;

/** What a cluster of MariaDB and one of MySQL have in common. */
export function describeServer(server: ServerKind): void {
  async function boot(options: ClusterOptions = {}): Promise<LabCluster> {
    const cluster = await createCluster({ server, ...options });
    onTestFinished(() => cluster.close());
    await cluster.primary().query("CREATE TABLE t (id int PRIMARY KEY)");
    return cluster;
  }

  describe("a cluster", () => {
    let cluster: LabCluster;
    let primary: LabNode;
    let mirror: LabNode;
    beforeAll(async () => {
      cluster = await createCluster({ server, mirrors: 1 });
      primary = cluster.primary();
      mirror = cluster.node("node2");
      await primary.query("CREATE TABLE t (id int PRIMARY KEY)");
    });
    afterAll(() => cluster.close());

    test("the application's role is an ordinary user that owns its database", async () => {
      expect(cluster.urls).toEqual(cluster.nodes.map((node) => `mysql://app:secret@127.0.0.1:${node.port}/app`));
      const application = await connectTo(primary.url);
      await application.query("CREATE TABLE owned (id int PRIMARY KEY)");
      expect(await failureOf(application.query("SET GLOBAL read_only = 0"))).toBe(1227);
      expect(await failureOf(application.query("SELECT * FROM mysql.user"))).toBe(1142);
      expect(await failureOf(connectTo(primary.url.replace("secret", "wrong")))).toBe(1045);
      const superuser = await connectTo(primary.adminUrl);
      await superuser.query("SELECT * FROM mysql.user");
    });

    test("what is written to the primary can be read on the mirror, which takes no writes", async () => {
      await primary.query("INSERT INTO t VALUES (?), (?)", [1, 2]);
      await cluster.caughtUp();
      const application = await connectTo(mirror.url);
      expect((await application.query("SELECT id FROM t"))[0]).toEqual([{ id: 1 }, { id: 2 }]);
      expect(await failureOf(application.query("INSERT INTO t VALUES (3)"))).toBe(READ_ONLY);
    });

    test("several statements at once are answered with the rows of the last one", async () => {
      expect(await primary.query("SET @a = 1; SELECT @a + 1 AS two")).toEqual([{ two: 2 }]);
      expect(await primary.query("SELECT 1; SET @a = 1")).toEqual([]);
      expect(await failureOf(primary.query("SELECT 1; SELECT nonsense"))).toBe(1054);
    });

    test("a frozen server is silent, and answers after it is thawed", async () => {
      const application = await connectTo(primary.url);
      await primary.freeze();
      const asked = application.query("SELECT 1 AS one");
      const connecting = connectTo(primary.directUrl);
      expect(await Promise.race([asked, connecting, sleep(SILENCE_MS, "silent")])).toBe("silent");
      expect(await failureOf(primary.query("SELECT 1"))).toBe("wrong-state");
      await primary.thaw();
      expect((await asked)[0]).toEqual([{ one: 1 }]);
      await connecting;
    });

    test("a lagging mirror answers with old data and catches up afterwards", async () => {
      await mirror.lag(true);
      await primary.query("INSERT INTO t VALUES (10)");
      expect(await failureOf(cluster.caughtUp({ timeoutMs: SILENCE_MS }))).toBe("timeout");
      expect(await mirror.query("SELECT id FROM t WHERE id = 10")).toEqual([]);
      await mirror.lag(false);
      await cluster.caughtUp();
      expect(await mirror.query("SELECT id FROM t WHERE id = 10")).toEqual([{ id: 10 }]);
    });

    test("a read-only primary rejects writes, in new sessions and old", async () => {
      const old = await connectTo(primary.url);
      await primary.readOnly(true);
      const fresh = await connectTo(primary.url);
      for (const session of [old, fresh]) {
        expect(await failureOf(session.query("INSERT INTO t VALUES (20)"))).toBe(READ_ONLY);
      }
      await primary.readOnly(false);
      await old.query("INSERT INTO t VALUES (20)");
      await mirror.readOnly(false);
      const reader = await connectTo(mirror.url);
      expect(await failureOf(reader.query("INSERT INTO t VALUES (21)"))).toBe(READ_ONLY);
    });

    test("above the connection limit the application gets 1226, on the primary and on the mirror", async () => {
      await primary.connectionLimit(1);
      await cluster.caughtUp();
      for (const node of cluster.nodes) {
        const only = await connectTo(node.url);
        expect(await failureOf(connectTo(node.url))).toBe(1226);
        await only.end();
      }
      await primary.connectionLimit(null);
      await connectTo(primary.url);
      await connectTo(primary.url);
    });

    test("terminateBackends ends every session but the lab's", async () => {
      const sessions = [await connectTo(primary.url), await connectTo(primary.directUrl)];
      expect(await primary.terminateBackends()).toBeGreaterThanOrEqual(2);
      for (const session of sessions) {
        expect(String(await failureOf(session.query("SELECT 1")))).toMatch(
          /PROTOCOL_CONNECTION_LOST|ECONNRESET|closed state/,
        );
      }
      await cluster.caughtUp();
    });

    test("more connections than maxConnections are refused with 1040, but not to the lab itself", async () => {
      await primary.query("SET GLOBAL max_connections = 10");
      const open = [];
      for (let i = 0; i < 10; i++) open.push(await connectTo(primary.url).catch(failureCode));
      expect(await failureOf(connectTo(primary.url))).toBe(1040);
      expect(await primary.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
      await primary.query("SET GLOBAL max_connections = 97");
    });

    test("what PostgreSQL alone has is refused", async () => {
      expect(await failureOf(primary.timeline())).toBe("not-possible-here");
      expect(await failureOf(primary.stop("smart"))).toBe("not-possible-here");
      expect(await failureOf(primary.fillDisk())).toBe("not-possible-here");
      expect(await failureOf(primary.replicate(false))).toBe("wrong-state");
      expect(await failureOf(primary.lag(true))).toBe("wrong-state");
    });
  });

  test("kill, promote, rejoin: the survivor follows, and the old primary comes back as a mirror by its position", async () => {
    const cluster = await boot();
    const [old, next] = [cluster.primary(), cluster.node("node2")];
    await cluster.caughtUp();
    const session = await connectTo(next.url);
    const idOf = async () => (await old.query<{ id: number }>("SELECT @@server_id AS id"))[0]?.id;
    const before = await idOf();

    await old.kill();
    expect([old.isRunning, old.pid]).toEqual([false, undefined]);
    expect(await failureOf(connectTo(old.url))).toBe("ECONNREFUSED");
    await cluster.promote(await cluster.mostAdvancedMirror());
    if (cluster.primary() !== next) await cluster.switchover(next);
    // a session that was open on the mirror survives and can write now
    await session.query("INSERT INTO t VALUES (1)");

    await cluster.rejoin(old);
    await cluster.caughtUp();
    for (const mirror of cluster.mirrors()) expect(await idsOn(mirror)).toEqual([1]);
    expect(await idOf()).toBe(before);
    expect(await failureOf((await connectTo(old.url)).query("INSERT INTO t VALUES (2)"))).toBe(READ_ONLY);
  });

  test("a superseded primary comes back writable; rejoining discards what only it has, and nothing else", async () => {
    const cluster = await boot({ mirrors: 1 });
    const [old, next] = [cluster.primary(), cluster.node("node2")];
    await old.query("INSERT INTO t VALUES (1)");
    await cluster.caughtUp();
    await old.kill();
    await cluster.promote(next);
    await old.start();
    await (await connectTo(old.url)).query("INSERT INTO t VALUES (100)");
    await next.query("INSERT INTO t VALUES (200)");
    expect([await idsOn(old), await idsOn(next)]).toEqual([
      [1, 100],
      [1, 200],
    ]);
    await cluster.rejoin(old);
    await cluster.caughtUp();
    // the first row it had written itself
    expect(await idsOn(old)).toEqual([1, 200]);
    await cluster.switchover(old);
    await old.query("INSERT INTO t VALUES (3)");
    await cluster.caughtUp();
    expect(await idsOn(next)).toEqual([1, 3, 200]);
  });

  test("an old primary rejoins from every state it can be in", async () => {
    const cluster = await boot({ mirrors: 1 });
    const states: readonly ((node: LabNode) => Promise<void>)[] = [
      (node) => node.freeze(),
      (node) => node.stop("fast"),
      (node) => node.stop("immediate"),
      async () => {},
    ];
    for (const [id, bring] of states.entries()) {
      const [old, next] = [cluster.primary(), cluster.mirrors()[0]];
      if (!next) throw new Error("one mirror");
      await old.query("INSERT INTO t VALUES (?)", [id]);
      await cluster.caughtUp();
      await bring(old);
      await cluster.promote(next);
      await cluster.rejoin(old);
      await cluster.caughtUp();
      expect(await idsOn(old)).toEqual(Array.from({ length: id + 1 }, (_, i) => i));
    }
  });

  test("a switchover loses nothing; to a mirror that cannot catch up it is given up, and the old primary goes on", async () => {
    const cluster = await boot();
    const old = cluster.primary();
    const application = await connectTo(old.url);
    const acknowledged: number[] = [];
    const writing = (async () => {
      for (let id = 1; ; id++) {
        await application.query("INSERT INTO t VALUES (?)", [id]);
        acknowledged.push(id);
      }
    })();
    const ended = failureOf(writing);
    await until("some writes", () => acknowledged.length >= 20);
    await cluster.switchover("node2");
    expect(await ended).toBe(READ_ONLY);
    expect(await idsOn(cluster.primary())).toEqual(acknowledged);
    await cluster.switchover("node1");
    expect([cluster.primary().name, cluster.mirrors().map((node) => node.name)]).toEqual(["node1", ["node3", "node2"]]);

    await cluster.node("node2").replicate(false);
    await old.query("INSERT INTO t VALUES (0)");
    expect(await failureOf(cluster.switchover("node2", { timeoutMs: SILENCE_MS }))).toBe("timeout");
    expect(cluster.primary()).toBe(old);
    await (await connectTo(old.url)).query("INSERT INTO t VALUES (-1)");
    await cluster.node("node2").replicate(true);
    await cluster.caughtUp();
  });

  test("what a mirror has received it replays before it becomes primary", async () => {
    const cluster = await boot({ mirrors: 1 });
    const [old, mirror] = [cluster.primary(), cluster.node("node2")];
    await cluster.caughtUp();
    await mirror.lag(true);
    await old.query("INSERT INTO t VALUES (1)");
    const status = `SHOW ${server === "mariadb" ? "SLAVE" : "REPLICA"} STATUS`;
    await until("it to be received", async () => {
      const [row = {}] = await mirror.query(status);
      const read = row["Read_Master_Log_Pos"] ?? row["Read_Source_Log_Pos"];
      return read !== (row["Exec_Master_Log_Pos"] ?? row["Exec_Source_Log_Pos"]);
    });
    expect(await idsOn(mirror)).toEqual([]);
    await old.kill();
    await cluster.promote(mirror);
    expect(await idsOn(mirror)).toEqual([1]);
  });

  test("a mirror that was cut off lacks acknowledged writes when it is promoted", async () => {
    const cluster = await boot({ mirrors: 1 });
    const [old, mirror] = [cluster.primary(), cluster.node("node2")];
    await old.query("INSERT INTO t VALUES (1)");
    await cluster.caughtUp();
    await mirror.replicate(false);
    await old.query("INSERT INTO t VALUES (2)");
    await old.kill();
    await cluster.promote(mirror);
    expect(await idsOn(mirror)).toEqual([1]);
    await mirror.query("INSERT INTO t VALUES (3)");
  });

  test("a mirror that was cut off from the old primary receives from the new one", async () => {
    const cluster = await boot();
    await cluster.caughtUp();
    await Promise.all(cluster.mirrors().map((mirror) => mirror.replicate(false)));
    await cluster.promote("node2");
    await cluster.node("node2").query("INSERT INTO t VALUES (1)");
    await cluster.caughtUp();
    expect(await idsOn(cluster.node("node3"))).toEqual([1]);
  });

  test("a mirror that was down or frozen during a promotion follows when it is back", async () => {
    const cluster = await boot({ mirrors: 3 });
    const [node1, node2, node3, node4] = cluster.nodes;
    if (!node1 || !node2 || !node3 || !node4) throw new Error("four nodes");
    await cluster.caughtUp();
    await node3.stop();
    await node4.freeze();
    await node1.kill();
    await cluster.promote(node2);
    await node2.query("INSERT INTO t VALUES (1)");
    await node3.start();
    await node4.thaw();
    await cluster.caughtUp();
    expect([await idsOn(node3), await idsOn(node4)]).toEqual([[1], [1]]);
  });

  test("a synchronous cluster does not acknowledge what no mirror has, also after a failover", async () => {
    const cluster = await boot({ mirrors: 2, synchronous: true });
    await cluster.primary().kill();
    // one of them has it
    await cluster.promote(await cluster.mostAdvancedMirror());
    const [primary, mirror] = [cluster.primary(), cluster.mirrors()[0]];
    if (!mirror) throw new Error("one mirror is left");
    const application = await connectTo(primary.url);
    await application.query("INSERT INTO t VALUES (1)");
    expect(await idsOn(primary)).toEqual([1]);
    await mirror.kill();
    let isAcknowledged = false;
    const insert = application.query("INSERT INTO t VALUES (2)").then(() => {
      isAcknowledged = true;
    });
    await sleep(SILENCE_MS);
    expect(isAcknowledged).toBe(false);
    await mirror.start();
    await insert;
    await cluster.caughtUp();
    expect(await idsOn(mirror)).toEqual([1, 2]);
  });

  test("a custom login, own settings, no proxies", async () => {
    const cluster = await boot({
      ...{ mirrors: 0, proxies: false, settings: { wait_timeout: "1234" } },
      ...{ user: "we ird/@", password: "p'a\\s:s/@\"", database: "da'ta_ `base`" },
    });
    const node = cluster.primary();
    expect(node.port).toBe(node.directPort);
    const application = await connectTo(node.url);
    const [rows] = await application.query("SELECT current_user() AS u, database() AS d, @@wait_timeout AS w");
    expect(rows).toEqual([{ u: "we ird/@@%", d: "da'ta_ `base`", w: 1234 }]);
    await application.query("CREATE TABLE owned (id int)");
  });

  test("a server that does not start fails with the end of its log, without passwords", async () => {
    const error: unknown = await createCluster({ server, mirrors: 0, settings: { nonsense: "secret" } }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "server-failed" });
    expect(String(error)).toContain("nonsense=***");
  });

  if (process.getuid?.() === 0) {
    test("on a full disk writes fail with 1114, reads go on, and freeing it heals", async () => {
      const cluster = await boot({ mirrors: 1, diskBytes: 256 * 1024 ** 2 });
      const primary = cluster.primary();
      const application = await connectTo(primary.url);
      await application.query("CREATE TABLE big (id int AUTO_INCREMENT PRIMARY KEY, v varchar(2000))");
      const bulk = () =>
        application.query(`INSERT INTO big (v) SELECT repeat('x', 1000) FROM information_schema.columns LIMIT 2000`);
      await bulk();
      await primary.fillDisk();
      expect(await failureOf(untilItFails(bulk))).toBe(DISK_FULL);
      expect((await application.query("SELECT count(*) > 0 AS holds FROM big"))[0]).toEqual([{ holds: 1 }]);
      expect(primary.isRunning).toBe(true);
      await primary.freeDisk();
      await bulk();
      await cluster.caughtUp();
      await primary.kill();
      await cluster.promote("node2");
      await cluster.rejoin("node1");
    });
  }
}

async function idsOn(node: LabNode): Promise<readonly number[]> {
  return (await node.query<{ id: number }>("SELECT id FROM t ORDER BY id")).map((row) => row.id);
}

async function untilItFails(work: () => Promise<unknown>): Promise<never> {
  for (;;) await work();
}

function failureCode(error: unknown): unknown {
  return (error as { errno?: number }).errno;
}
