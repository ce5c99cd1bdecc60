import { createPool } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { measure } from "../measure.ts";
import { openPgPool } from "../peers/pg.ts";
import type { Query } from "../peers/query.ts";
import { quantile } from "../statistics.ts";
import { cpuMicroseconds } from "./cpu.ts";
import type { Scale } from "./scale.ts";

const SIZES = [1, 10, 100, 1000, 10_000];
const MAX = 10;
const SECONDS = 1.5;
const WARM_UP_SECONDS = 0.5;

/** Ever more callers on ten connections to a real server. */
export async function callers(cluster: LabCluster, note: (text: string) => void): Promise<Scale> {
  const { url } = cluster.primary();
  await using pool = createPool({ driver: postgres(), nodes: [url], pool: { max: MAX } });
  await using plain = openPgPool({ urls: [url], max: MAX });
  await pool.start();
  const clients: readonly (readonly [name: string, query: Query])[] = [
    ["mirrorpool", (text, values) => pool.query(text, values)],
    [plain.name, plain.query],
  ];
  const rows: (string | number)[][] = [];
  const costs = new Map(clients.map(([name]) => [name, [] as { size: number; cost: number }[]]));
  for (const size of SIZES) {
    note(`${size} callers`);
    for (const [name, query] of clients) {
      const operation = async (): Promise<number> =>
        (await query<{ one: number }>("SELECT $1::int AS one", [1])).rows[0]?.one ?? Number.NaN;
      await measure(operation, size, "steady", WARM_UP_SECONDS);
      const before = cpuMicroseconds();
      const { opsPerSecond, latenciesMs } = await measure(operation, size, "steady", SECONDS);
      const cpu = (cpuMicroseconds() - before) / latenciesMs.length;
      rows.push([size, name, Math.round(opsPerSecond), cpu, quantile(latenciesMs, 0.5), quantile(latenciesMs, 0.99)]);
      costs.get(name)?.push({ size, cost: cpu * size });
    }
  }
  return {
    table: {
      title: `Callers on ${MAX} connections, PostgreSQL`,
      columns: ["callers", "client", "ops/s", "CPU µs/op", "p50 ms", "p99 ms"],
      rows,
    },
    costs: [["callers: CPU time of one statement each", costs.get("mirrorpool") ?? []]],
  };
}
