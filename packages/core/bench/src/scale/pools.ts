import { setTimeout as sleep } from "node:timers/promises";
import type { Driver, FailoverPool } from "@mirrorpool/core";
import { createPool } from "@mirrorpool/core";
import type { LabCluster, LabNode } from "@mirrorpool/lab";
import { createCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { cpuMicroseconds } from "./cpu.ts";
import type { Scale } from "./scale.ts";

const SIZES = [1, 10, 50, 200];
/** Enough for the probes, and the connections that are kept ready on the mirror. */
const MAX_CONNECTIONS = 1000;
const IDLE_MS = 2000;
const READY_LIMIT_MS = 60_000;
const WATCH_MS = 4000;
const WINDOW_MS = 100;

/** Ever more pools, as of so many processes, on one cluster; then its primary is killed. */
export async function pools(note: (text: string) => void): Promise<Scale> {
  const rows: number[][] = [];
  for (const size of SIZES) {
    note(`${size} pools`);
    rows.push([size, ...(await measurePools(size))]);
  }
  const points = (column: number) => rows.map((row) => ({ size: row[0] ?? 0, cost: row[column] ?? 0 }));
  return {
    table: {
      title: "Pools on one cluster of a primary and a mirror, PostgreSQL",
      columns: [
        "pools",
        "probes/s",
        "idle: CPU ms/s",
        "connections",
        `most logins in ${WINDOW_MS} ms after a failover`,
        "logins until all are back",
        "all back after ms",
      ],
      rows,
    },
    costs: [
      ["pools: probes", points(1)],
      ["pools: connections", points(3)],
      ["pools: logins after a failover", points(5)],
    ],
  };
}

async function measurePools(size: number): Promise<number[]> {
  await using cluster = await createCluster({ mirrors: 1, proxies: false, maxConnections: MAX_CONNECTIONS });
  const [mirror] = cluster.mirrors() as readonly [LabNode]; // one was asked for
  await cluster.primary().query("CREATE TABLE beat (at timestamptz DEFAULT clock_timestamp())");
  await cluster.primary().query("GRANT ALL ON beat TO PUBLIC");
  await cluster.caughtUp();
  const counted = countingDriver();
  await using stack = new AsyncDisposableStack();
  const all = Array.from({ length: size }, () =>
    stack.use(createPool({ driver: counted.driver, nodes: cluster.urls })),
  );
  await Promise.all(all.map((pool) => pool.start({ timeoutMs: READY_LIMIT_MS })));
  await untilWarm(all, mirror);
  await Promise.all(all.map(beat)); // the primary has a connection of each that works
  const [probesBefore, cpuBefore] = [counted.probes, cpuMicroseconds()];
  await sleep(IDLE_MS);
  const probes = ((counted.probes - probesBefore) * 1000) / IDLE_MS;
  const idle = (cpuMicroseconds() - cpuBefore) / IDLE_MS;
  const connections = await countConnections(cluster);

  const before = counted.logins.length;
  await cluster.primary().kill();
  await cluster.promote(mirror);
  const promotedAt = performance.now();
  await Promise.all(all.map(beat));
  const backMs = performance.now() - promotedAt;
  await sleep(Math.max(0, WATCH_MS - backMs));
  const logins = counted.logins.slice(before);
  const untilBack = logins.filter((at) => at <= promotedAt + backMs).length;
  return [probes, idle, connections, mostWithin(logins, WINDOW_MS), untilBack, backMs];
}

/** A driver that counts what it is asked for. */
function countingDriver(): { readonly driver: Driver; readonly probes: number; readonly logins: readonly number[] } {
  const real = postgres();
  const logins: number[] = [];
  let probes = 0;
  const driver: Driver = {
    ...real,
    async connect(...args) {
      const connection = await real.connect(...args);
      logins.push(performance.now());
      return connection;
    },
    probe(connection) {
      probes += 1;
      return real.probe(connection);
    },
  };
  return {
    driver,
    logins,
    get probes() {
      return probes;
    },
  };
}

const beat = (pool: FailoverPool): Promise<unknown> =>
  pool.query("INSERT INTO beat DEFAULT VALUES", [], { timeoutMs: READY_LIMIT_MS }).catch(() => beat(pool));

/** Each pool has its connections ready on the mirror. */
async function untilWarm(all: readonly FailoverPool[], mirror: LabNode): Promise<void> {
  const id = `${mirror.host}:${mirror.port}`;
  const limit = performance.now() + READY_LIMIT_MS;
  while (!all.every((pool) => (pool.stats().nodes[id]?.idle ?? 0) >= 2)) {
    if (performance.now() > limit) throw new Error("the pools did not get their connections in time");
    await sleep(50);
  }
}

async function countConnections(cluster: LabCluster): Promise<number> {
  let count = 0;
  for (const node of cluster.nodes) {
    const [row] = await node.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM pg_stat_activity WHERE usename = 'app'",
    );
    count += row?.n ?? 0;
  }
  return count;
}

/** The most of the given times that lie within a window of this length. */
function mostWithin(times: readonly number[], windowMs: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  let most = 0;
  let begin = 0;
  for (const [index, at] of sorted.entries()) {
    while (at - (sorted[begin] ?? at) > windowMs) begin += 1;
    most = Math.max(most, index - begin + 1);
  }
  return most;
}
