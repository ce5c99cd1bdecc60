import {
  createPool,
  type FailoverPool,
  type NodeOptions,
  type PoolEventName,
  type PoolEvents,
  type PoolOptions,
  poolEventNames,
} from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { systemOf } from "./system.ts";

/** The nodes of a cluster under their own names, so that events and errors read well. */
export function nodesOf(cluster: LabCluster): NodeOptions[] {
  return cluster.nodes.map(({ name, url }) => ({ name, url }));
}

/** A pool on all nodes of the cluster, with the product's defaults, but without replay, unless the test says otherwise. */
export function openPool(cluster: LabCluster, options: Partial<PoolOptions> = {}): FailoverPool {
  const [first] = cluster.nodes;
  if (first === undefined) throw new Error("the cluster has no node");
  return createPool({
    driver: systemOf(first).driver(),
    nodes: nodesOf(cluster),
    replay: { maxStatements: 0 },
    ...options,
  });
}

export type RecordedEvent = {
  [N in PoolEventName]: { readonly name: N } & PoolEvents[N];
}[PoolEventName];

/** Everything that the pool tells from now on, in order. */
export function record(pool: FailoverPool): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  for (const name of poolEventNames) {
    pool.on(name, (event) => void events.push({ name, ...event } as RecordedEvent)); // the pair belongs together
  }
  return events;
}

/** Leases and waiting callers of all nodes, and those that wait for a node: zero when nothing is under way. */
export function underWay(pool: FailoverPool): number {
  const { nodes, waitingForNode } = pool.stats();
  return Object.values(nodes).reduce((sum, { inUse, waiting }) => sum + inUse + waiting, waitingForNode);
}
