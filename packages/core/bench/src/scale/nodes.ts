import { setTimeout as sleep } from "node:timers/promises";
import { createPool, type FailoverPool } from "@mirrorpool/core";
import { stubServers } from "../stub/cluster-driver.ts";
import { cpuMicroseconds } from "./cpu.ts";
import type { Scale } from "./scale.ts";

const SIZES = [2, 5, 10, 20, 50];
const IDLE_MS = 2000;
const STATEMENTS = 50_000;
const CALLERS = 10;

/** Ever more nodes, whose servers answer at once. */
export async function nodes(note: (text: string) => void): Promise<Scale> {
  const rows: number[][] = [];
  for (const size of SIZES) {
    note(`${size} nodes`);
    const servers = stubServers(size);
    await using pool = createPool({ driver: servers.driver, nodes: servers.nodes });
    await pool.start();
    await run(pool, STATEMENTS / 10);
    const [probesBefore, idleBefore] = [servers.probes, cpuMicroseconds()];
    await sleep(IDLE_MS);
    const probes = ((servers.probes - probesBefore) * 1000) / IDLE_MS;
    const idle = (cpuMicroseconds() - idleBefore) / IDLE_MS;
    const before = cpuMicroseconds();
    await run(pool, STATEMENTS);
    rows.push([size, probes, idle, (cpuMicroseconds() - before) / STATEMENTS]);
  }
  const points = (column: number) => rows.map((row) => ({ size: row[0] ?? 0, cost: row[column] ?? 0 }));
  return {
    table: {
      title: "Nodes, scripted",
      columns: ["nodes", "probes/s", "idle: CPU ms/s", "CPU µs/read on mirrors"],
      rows,
    },
    costs: [
      ["nodes: probes", points(1)],
      ["nodes: CPU time of a read", points(3)],
    ],
  };
}

async function run(pool: FailoverPool, statements: number): Promise<void> {
  let left = statements;
  const call = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await pool.query("SELECT 1");
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
}
