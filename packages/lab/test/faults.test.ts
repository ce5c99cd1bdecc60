import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createCluster, type LabCluster, type LabNode } from "../src/index.ts";
import { processesUnder, startOf } from "../src/platform/processes.ts";
import { until } from "../src/wait.ts";
import { connectTo, failureOf } from "./application.ts";

/** Much longer than a healthy server needs for an answer. */
const SILENCE_MS = 200;

let cluster: LabCluster;
let primary: LabNode;
let mirror: LabNode;
beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  primary = cluster.primary();
  mirror = cluster.node("node2");
  await primary.query("CREATE TABLE t (id int); GRANT ALL ON t TO app");
});
afterEach(async () => {
  for (const node of cluster.nodes) {
    await node.thaw();
    await node.proxy.heal();
    if (!node.isRunning) await node.start();
  }
});
afterAll(() => cluster.close());

async function isSilent(work: Promise<unknown>): Promise<boolean> {
  return Promise.race([work.then(() => false), sleep(SILENCE_MS, true)]);
}

async function count(node: LabNode): Promise<number | undefined> {
  return (await node.query<{ n: number }>("SELECT count(*)::int AS n FROM t"))[0]?.n;
}

async function pidsOf(node: LabNode): Promise<readonly number[]> {
  const [row] = await node.query<{ data_directory: string }>("SHOW data_directory");
  return processesUnder(row?.data_directory ?? "").map((process) => process.pid);
}

describe("processes", () => {
  test("kill ends the whole tree at once: clients see a broken connection, new ones are refused", async () => {
    const { client, ending } = await connectTo(primary.url);
    const pids = await pidsOf(primary);
    expect(pids).toContain(primary.pid);
    expect(pids.length).toBeGreaterThan(4);
    await primary.kill();
    // their new parent collects them a moment later
    await until("every process to be gone", () => pids.every((pid) => startOf(pid) === undefined));
    // and not 57P01: no backend lived long enough to say anything
    expect(await until("the connection to end", ending)).toMatch(/ECONNRESET|Connection terminated unexpectedly/);
    expect(await failureOf(client.query("SELECT 1"))).toContain("not queryable");
    // the proxy follows its server
    await until("the proxy to refuse", async () => (await failureOf(connectTo(primary.url))) === "ECONNREFUSED");
    expect(await failureOf(connectTo(primary.directUrl))).toBe("ECONNREFUSED");
    await primary.kill();
  });

  test("freeze silences open sessions and new connections; after thaw they are answered", async () => {
    const { client } = await connectTo(primary.url);
    await primary.freeze();
    expect([primary.isFrozen, primary.isRunning]).toEqual([true, true]);
    const query = client.query("SELECT 1 AS one");
    const connecting = connectTo(primary.directUrl);
    expect(await isSilent(query)).toBe(true);
    expect(await isSilent(connecting)).toBe(true);
    await primary.thaw();
    expect(primary.isFrozen).toBe(false);
    expect((await query).rows).toEqual([{ one: 1 }]);
    await connecting;
  });

  test("a question to a frozen node is refused, and to one that somebody else froze it ends at its deadline", async () => {
    await mirror.freeze();
    expect(await failureOf(mirror.query("SELECT 1"))).toBe("wrong-state");
    await mirror.thaw();
    process.kill(primary.pid ?? 0, "SIGSTOP");
    const start = performance.now();
    expect(await failureOf(cluster.caughtUp({ timeoutMs: SILENCE_MS }))).toBe("timeout");
    expect(performance.now() - start).toBeLessThan(10 * SILENCE_MS);
  });

  test.each([
    ["fast", "57P01"],
    ["immediate", "57P02|Connection terminated unexpectedly|ECONNRESET"],
  ] as const)("stop %s disconnects the clients with %s", async (mode, code) => {
    const { ending } = await connectTo(primary.url);
    await primary.stop(mode);
    expect(primary.isRunning).toBe(false);
    expect(await until("the connection to end", ending)).toMatch(new RegExp(`^(${code})$`));
    await primary.stop(mode);
  });

  test("stop smart waits for the clients, and refuses new ones with 57P03", async () => {
    const { client } = await connectTo(primary.url);
    const stopping = primary.stop("smart");
    expect(await isSilent(stopping)).toBe(true);
    await client.query("INSERT INTO t VALUES (1)");
    expect(await failureOf(connectTo(primary.url))).toBe("57P03");
    await client.end();
    await stopping;
  });

  test("restart keeps ports and data", async () => {
    const before = [primary.port, primary.directPort, await count(primary)];
    const { pid } = primary;
    await primary.restart();
    expect(primary.pid).not.toBe(pid);
    expect([primary.port, primary.directPort, await count(primary)]).toEqual(before);
  });

  test("a server that ends by itself is seen as not running, and its proxy refuses", async () => {
    process.kill(primary.pid ?? 0, "SIGQUIT");
    await until("the end to be noticed", () => !primary.isRunning);
    expect(await failureOf(connectTo(primary.url))).toBe("ECONNREFUSED");
  });
});

describe("states of a server", () => {
  test("a lagging mirror answers with old data and catches up afterwards", async () => {
    await cluster.caughtUp();
    await mirror.lag(true);
    const before = await count(mirror);
    await primary.query("INSERT INTO t VALUES (1)");
    expect(await failureOf(cluster.caughtUp({ timeoutMs: SILENCE_MS }))).toBe("timeout");
    expect(await count(mirror)).toBe(before);
    await mirror.lag(false);
    await cluster.caughtUp();
    expect(await count(mirror)).toBe((before ?? 0) + 1);
  });

  test("a mirror that is cut off streams again afterwards", async () => {
    await mirror.replicate(false);
    expect(await primary.query("SELECT FROM pg_stat_replication")).toEqual([]);
    await mirror.replicate(true);
    await cluster.caughtUp();
    expect(await primary.query("SELECT FROM pg_stat_replication")).toHaveLength(1);
  });

  test("a read-only primary rejects writes with 25006, in new sessions and old", async () => {
    const old = await connectTo(primary.url);
    await primary.readOnly(true);
    const fresh = await connectTo(primary.url);
    expect(await failureOf(fresh.client.query("INSERT INTO t VALUES (1)"))).toBe("25006");
    await until("the old session to notice", async () => {
      const { rows } = await old.client.query<{ v: string }>("SELECT current_setting('transaction_read_only') AS v");
      return rows[0]?.v === "on";
    });
    expect(await failureOf(old.client.query("INSERT INTO t VALUES (1)"))).toBe("25006");
    await primary.readOnly(false);
    const after = await connectTo(primary.url);
    await after.client.query("INSERT INTO t VALUES (1)");
  });

  test("above the connection limit the application gets 53300, on the primary and on the mirrors", async () => {
    await primary.connectionLimit(1);
    await cluster.caughtUp();
    for (const node of cluster.nodes) {
      await connectTo(node.url);
      expect(await failureOf(connectTo(node.url))).toBe("53300");
    }
    await primary.connectionLimit(null);
    await connectTo(primary.url);
  });

  test("terminateBackends ends every session but the lab's with 57P01", async () => {
    const sessions = [await connectTo(primary.url), await connectTo(primary.directUrl)];
    expect(await primary.terminateBackends()).toBeGreaterThanOrEqual(2);
    for (const { ending } of sessions) expect(await until("the connection to end", ending)).toBe("57P01");
  });

  test("filling a disk needs a cluster with disks", async () => {
    expect(await failureOf(primary.fillDisk())).toBe("not-possible-here");
    expect(await failureOf(primary.freeDisk())).toBe("not-possible-here");
  });
});

describe("the network", () => {
  test("in a black hole nothing is answered; healed, the connection is reset", async () => {
    const { client, ending } = await connectTo(primary.url);
    await primary.proxy.blackHole();
    const query = failureOf(client.query("SELECT 1"));
    expect(await isSilent(query)).toBe(true);
    expect(await isSilent(failureOf(connectTo(primary.url)))).toBe(true);
    await primary.proxy.heal();
    expect(await query).toBe("ECONNRESET");
    expect(ending()).toBe("ECONNRESET");
  });

  test("a black hole hides that the server behind it has died", async () => {
    const { client } = await connectTo(primary.url);
    await primary.proxy.blackHole();
    await primary.kill();
    expect(await isSilent(failureOf(client.query("SELECT 1")))).toBe(true);
    expect(await isSilent(failureOf(connectTo(primary.url)))).toBe(true);
    await primary.proxy.heal();
    expect(await failureOf(connectTo(primary.url))).toBe("ECONNREFUSED");
  });

  test("half-open down: the write is committed, its answer never comes", async () => {
    const before = (await count(primary)) ?? 0;
    const { client } = await connectTo(primary.url);
    await primary.proxy.halfOpen("down");
    const insert = failureOf(client.query("INSERT INTO t VALUES (1)"));
    await until("the write to be committed", async () => (await count(primary)) === before + 1);
    expect(await isSilent(insert)).toBe(true);
    await primary.proxy.heal();
    expect(await insert).toBe("ECONNRESET");
  });

  test("a stall lets a write arrive late, after its client has given up", async () => {
    const before = (await count(primary)) ?? 0;
    const { client } = await connectTo(primary.url);
    await primary.proxy.stall();
    const insert = failureOf(client.query({ text: "INSERT INTO t VALUES (1)", query_timeout: 50 } as never));
    expect(await insert).toBe("Query read timeout");
    expect(await count(primary)).toBe(before);
    await primary.proxy.heal();
    await until("the late write", async () => (await count(primary)) === before + 1);
  });

  test("latency makes a round trip longer", async () => {
    const { client } = await connectTo(primary.url);
    await primary.proxy.latency(40);
    const start = performance.now();
    await client.query("SELECT 1");
    expect(performance.now() - start).toBeGreaterThanOrEqual(80);
  });

  test("a connection that is cut in the middle of a result", async () => {
    const { client, ending } = await connectTo(primary.url);
    await primary.proxy.cutAfter(1_000, "down");
    const before = primary.proxy.stats.bytes.down;
    await failureOf(client.query("SELECT repeat('x', 10000)"));
    expect(primary.proxy.stats.bytes.down - before).toBe(1_000);
    expect(ending()).toBeDefined();
  });
});
