import { createPool, type FailoverPool, type PoolOptions } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";

/** A pool on the cluster that has seen all its nodes; its mirrors may lag for as long as a test takes. */
export async function openPool(cluster: LabCluster, own: Partial<PoolOptions> = {}): Promise<FailoverPool> {
  const pool = createPool({
    driver: postgres(),
    nodes: cluster.urls,
    routing: { maxLagMs: 3_600_000 },
    ...own,
  });
  await pool.start();
  await until("all nodes to be seen", () => pool.topology().nodes.every(({ status }) => status === "up"));
  return pool;
}

/** Resolves as soon as the condition holds. @throws after ten seconds */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** How many statements of the application whose text has the marker run on any node. */
export async function running(cluster: LabCluster, marker: string): Promise<number> {
  const counts = cluster.nodes.map((node) =>
    node.query(
      "SELECT FROM pg_stat_activity WHERE state = 'active' AND usename = 'app' AND position($1 in query) > 0",
      [marker],
    ),
  );
  return (await Promise.all(counts)).flat().length;
}

/** How many sessions there are on all nodes under this name. */
export async function sessions(cluster: LabCluster, applicationName: string): Promise<number> {
  const counts = cluster.nodes.map((node) =>
    node.query("SELECT FROM pg_stat_activity WHERE application_name = $1", [applicationName]),
  );
  return (await Promise.all(counts)).flat().length;
}

/** The connections of the pool that are in use on any node. */
export const inUse = (pool: FailoverPool): number =>
  Object.values(pool.stats().nodes).reduce((sum, node) => sum + node.inUse, 0);

/** The error with which a promise rejects. Fails when it does not. */
export async function rejection(promise: PromiseLike<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, got ${typeof value}`);
}
