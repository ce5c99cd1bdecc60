import { setTimeout as sleep } from "node:timers/promises";
import { createPool as createCore, type FailoverPool, type NodeOptions, type PoolOptions } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";

/** The nodes of a cluster under their own names. */
function nodesOf(cluster: LabCluster): NodeOptions[] {
  return cluster.nodes.map(({ name, url }) => ({ name, url }));
}

/** A failover pool on all nodes, to look into beside the drop-in that uses it. */
export function openCore(cluster: LabCluster, options: Partial<PoolOptions> = {}): FailoverPool {
  return createCore({ driver: mysql(), nodes: nodesOf(cluster), routing: { maxLagMs: 3_600_000 }, ...options });
}

/** Runs statements of the set-up as the application's own user, one after the other. */
export async function prepare(cluster: LabCluster, ...texts: readonly string[]): Promise<void> {
  await using core = openCore(cluster);
  for (const text of texts) await core.query(text);
  await cluster.caughtUp();
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
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("expected a rejection");
}

/** Kills the primary and promotes a mirror. */
export async function failOver(cluster: LabCluster): Promise<void> {
  await cluster.primary().kill();
  await cluster.promote(await cluster.mostAdvancedMirror());
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

/** Connections that a failover pool has on loan. */
export function leases(core: FailoverPool): number {
  return Object.values(core.stats().nodes).reduce((sum, { inUse }) => sum + inUse, 0);
}
