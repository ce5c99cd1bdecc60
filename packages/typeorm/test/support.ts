import type { FailoverPool, PoolOptions } from "@mirrorpool/core";
import { createPool } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { type Logger, DataSource as NewestDataSource, EntitySchema as NewestEntitySchema } from "typeorm";
import * as oldest from "typeorm-oldest";

export interface Note {
  id: number;
  body: string;
}

/** The versions that the adapter is for. The older one's types differ in what does not matter here. */
export const versions: readonly (readonly [string, { DataSource: typeof NewestDataSource }])[] = [
  ["TypeORM 1", { DataSource: NewestDataSource }],
  ["TypeORM 0.3", { DataSource: oldest.DataSource as unknown as typeof NewestDataSource }],
];

export const notes: NewestEntitySchema<Note> = new NewestEntitySchema<Note>({
  name: "note",
  columns: { id: { type: "int", primary: true }, body: { type: "text" } },
});

/** A pool whose reads stay on mirrors, however far these are behind. */
export function poolOnLaggingMirrors(cluster: LabCluster, own: Partial<PoolOptions> = {}): FailoverPool {
  const routing = { consistency: "eventual", maxLagMs: 3_600_000 } as const;
  return createPool({ driver: postgres(), nodes: cluster.urls, routing, ...own });
}

/** Until the pool knows its mirrors: before, the primary answers. */
export async function mirrorsSeen(pool: FailoverPool, count: number): Promise<void> {
  await pool.start();
  await until("the mirrors to be seen", () => {
    const { nodes } = pool.topology();
    return nodes.filter(({ role, status }) => role === "mirror" && status === "up").length >= count;
  });
}

export async function until(what: string, probe: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await probe())) {
    if (performance.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Sessions of this name on all servers. */
export async function sessions(cluster: LabCluster, applicationName: string): Promise<number> {
  const counts = cluster.nodes.map(async (node) => {
    const [row] = await node.query<{ count: number }>(
      "SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1",
      [applicationName],
    );
    return row?.count ?? 0;
  });
  return (await Promise.all(counts)).reduce((sum, each) => sum + each, 0);
}

/** Keeps what TypeORM logs. */
export function keepLog(): { readonly lines: string[]; readonly logger: Logger } {
  const lines: string[] = [];
  const note = (text: unknown): void => void lines.push(String(text));
  const logger: Logger = {
    logQuery: () => {},
    logQueryError: () => {},
    logQuerySlow: () => {},
    logSchemaBuild: () => {},
    logMigration: () => {},
    log: (_, message) => note(message),
  };
  return { lines, logger };
}
