import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { createPool, type FailoverPool, type NodeOptions, type PoolOptions } from "@mirrorpool/core";
import type { LabCluster, LabNode } from "@mirrorpool/lab";
import { type DropInPoolConfig, Pool, postgres } from "@mirrorpool/pg";
import type pg from "pg";

/** The nodes of a cluster under their own names. */
export function nodesOf(cluster: LabCluster): NodeOptions[] {
  return cluster.nodes.map(({ name, url }) => ({ name, url }));
}

/** A failover pool on all nodes, to look into beside the drop-in that uses it. */
export function openCore(cluster: LabCluster, options: Partial<PoolOptions> = {}): FailoverPool {
  return createPool({ driver: postgres(), nodes: nodesOf(cluster), ...options });
}

/** A drop-in on a pool of its own. */
export function openPool(cluster: LabCluster, config: DropInPoolConfig = {}): pg.Pool {
  return new Pool({ mirrorpool: { nodes: nodesOf(cluster) }, ...config });
}

/** Asks again and again until the answer is neither `undefined` nor `false`, and returns it. */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs: number = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() >= deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(5);
  }
}

/** Rejects when the promise does not end in time: a test of waits never hangs itself. */
export async function soon<T>(what: string, promise: Promise<T>, timeoutMs: number = 20_000): Promise<T> {
  const late = new AbortController();
  try {
    return await Promise.race([
      promise,
      sleep(timeoutMs, undefined, { signal: late.signal }).then(() => {
        throw new Error(`${what} did not end within ${timeoutMs} ms`);
      }),
    ]);
  } finally {
    late.abort();
  }
}

/** The error with which a promise rejects. Fails when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<Error & { readonly code?: string }> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error(`expected a rejection, got ${inspect(value, { depth: 0 })}`);
}

/** A read by its text whose answer is the name of the server. */
const WHERE = "SELECT name FROM answering_node";

/** Makes what {@link WHERE} reads, on all nodes. */
export async function prepareWhere(cluster: LabCluster): Promise<void> {
  const view = "CREATE OR REPLACE VIEW answering_node AS SELECT current_setting('cluster_name') AS name";
  await cluster.primary().query(`${view}; GRANT SELECT ON answering_node TO app`);
  await cluster.caughtUp();
}

/** Which kind of node answers a read. */
export async function nodeOf(cluster: LabCluster, client: pg.Pool | pg.PoolClient | pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>(WHERE);
  const { name } = rows[0] as { readonly name: string };
  return cluster.node(name) === cluster.primary() ? "primary" : "mirror";
}

/** Connections lent, of all nodes: zero when nobody holds any. */
export function leases(core: FailoverPool): number {
  return Object.values(core.stats().nodes).reduce((sum, { inUse }) => sum + inUse, 0);
}

/** Undoes all faults, and makes every node a mirror again that is not the primary. */
export async function mend(cluster: LabCluster): Promise<void> {
  for (const node of cluster.nodes) {
    await node.proxy.heal();
    if (node.isFrozen) await node.thaw();
  }
  const primary = cluster.primary();
  if (!primary.isRunning) await primary.start();
  const mirrors = new Set(cluster.mirrors());
  for (const node of cluster.nodes) {
    if (node === primary) continue;
    if (!mirrors.has(node)) await cluster.rejoin(node);
    else if (!node.isRunning) await node.start();
  }
  await cluster.caughtUp();
}

/** Kills the primary and promotes the best mirror. */
export async function failOver(cluster: LabCluster): Promise<void> {
  await cluster.primary().kill();
  await cluster.promote(await cluster.mostAdvancedMirror());
}

export function anyMirror(cluster: LabCluster): LabNode {
  const [mirror] = cluster.mirrors();
  if (mirror === undefined) throw new Error("the cluster has no mirror left");
  return mirror;
}
