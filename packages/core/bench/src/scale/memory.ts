import { setTimeout as sleep } from "node:timers/promises";
import type { FailoverPool, PoolOptions, PoolSession } from "@mirrorpool/core";
import { createPool } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { heapGrowth } from "../heap.ts";
import { stubServers } from "../stub/cluster-driver.ts";
import type { Point } from "./growth.ts";
import type { Scale } from "./scale.ts";

const IDLE_LIMIT_MS = 30_000;

/** Something that a process may hold many of, and the bytes of so many. */
interface Kind {
  readonly name: string;
  readonly sizes: readonly number[];
  measure(size: number): Promise<number>;
}

const kinds = (cluster: LabCluster): readonly Kind[] => [
  { name: "idle connection, scripted", sizes: [10, 100, 1000], measure: (size) => idle(size, stubOptions()) },
  {
    name: "idle connection, PostgreSQL",
    sizes: [10, 50],
    measure: (size) => idle(size, { driver: postgres(), nodes: [cluster.primary().url] }),
  },
  { name: "waiting call, scripted", sizes: [100, 1000, 10_000], measure: waiting },
  { name: "open transaction of 3 statements, scripted", sizes: [10, 100, 1000], measure: transactions },
];

function stubOptions(): Pick<PoolOptions, "driver" | "nodes"> {
  const { driver, nodes } = stubServers(1);
  return { driver, nodes };
}

/** What the process holds for each connection, call and transaction. */
export async function memory(cluster: LabCluster, note: (text: string) => void): Promise<Scale> {
  const rows: (string | number)[][] = [];
  const costs: (readonly [string, Point[]])[] = [];
  for (const { name, sizes, measure } of kinds(cluster)) {
    note(`memory: ${name}`);
    const points: Point[] = [];
    for (const size of sizes) {
      const bytes = await measure(size);
      rows.push([name, size, Math.round(bytes), Math.round(bytes / size)]);
      points.push({ size, cost: bytes });
    }
    costs.push([`memory: ${name}`, points]);
  }
  return { table: { title: "Memory", columns: ["of", "count", "bytes", "bytes each"], rows }, costs };
}

/** Opened and closed again with its pool, whose own memory counts as well. */
async function idle(size: number, options: Pick<PoolOptions, "driver" | "nodes">): Promise<number> {
  let pool: FailoverPool | undefined;
  const begin = async (): Promise<void> => {
    pool = createPool({ ...options, pool: { min: size, max: size } });
    await pool.start();
    const limit = performance.now() + IDLE_LIMIT_MS;
    while (Object.values(pool.stats().nodes).every((node) => node.idle < size)) {
      if (performance.now() > limit) throw new Error(`the pool did not open ${size} connections in time`);
      await sleep(10);
    }
  };
  return heapGrowth(begin, async () => {
    await pool?.close();
    pool = undefined;
  });
}

async function waiting(size: number): Promise<number> {
  const servers = stubServers(1);
  const { driver, nodes } = servers;
  await using pool = createPool({ driver, nodes, pool: { max: 1, maxWaiting: 2 * size } });
  await pool.start();
  let calls: Promise<unknown>[] = [];
  const begin = async (): Promise<void> => {
    servers.close();
    calls = Array.from({ length: size + 1 }, () => pool.query("SELECT 1"));
    await sleep(1);
  };
  return await heapGrowth(begin, async () => {
    servers.open();
    await Promise.all(calls);
    calls = [];
  });
}

async function transactions(size: number): Promise<number> {
  await using pool = createPool({ ...stubOptions(), pool: { max: size, idleMs: 100_000 } });
  await pool.start();
  let sessions: PoolSession[] = [];
  const begin = async (): Promise<void> => {
    sessions = await Promise.all(Array.from({ length: size }, () => pool.connect()));
    for (const text of ["BEGIN", "SELECT 1", "SELECT 2", "SELECT 3"]) {
      await Promise.all(sessions.map((session) => session.query(text)));
    }
  };
  return await heapGrowth(begin, async () => {
    for (const session of sessions) {
      await session.query("ROLLBACK");
      session.release();
    }
    sessions = [];
  });
}
