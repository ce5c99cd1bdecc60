import type { LabCluster, LabNode } from "@mirrorpool/lab";
import { systemOf } from "./system.ts";
import { until } from "./until.ts";

/** Undoes all faults and makes every node a mirror again that is not the primary. */
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
    await node.lag(false);
  }
  await cluster.caughtUp();
}

/** The first mirror, by the lab's own record. */
export function anyMirror(cluster: LabCluster): LabNode {
  const [mirror] = cluster.mirrors();
  if (mirror === undefined) throw new Error("the cluster has no mirror left");
  return mirror;
}

/** Promotes the mirror that has received most, as whoever manages a cluster would: the others can follow only that one. */
export async function promoteMirror(cluster: LabCluster): Promise<LabNode> {
  const best = await cluster.mostAdvancedMirror();
  await cluster.promote(best);
  return best;
}

/** Waits until the application's role runs a statement on the node that contains the marker. */
export async function running(node: LabNode, marker: string, count: number = 1): Promise<void> {
  await until(`"${marker}" to run on ${node.name}`, async () => (await statements(node, marker)) >= count);
}

/** Waits until the application's role runs no such statement on the node any more. */
export async function notRunning(node: LabNode, marker: string): Promise<void> {
  await until(`"${marker}" to end on ${node.name}`, async () => (await statements(node, marker)) === 0);
}

/** Which of the nodes runs a statement that contains the marker. */
export async function whereRuns(nodes: readonly LabNode[], marker: string): Promise<LabNode> {
  return until(`"${marker}" to run somewhere`, async () => {
    for (const node of nodes) if ((await statements(node, marker)) > 0) return node;
    return undefined;
  });
}

async function statements(node: LabNode, marker: string): Promise<number> {
  const [row] = await node.query<{ count: number | string }>(systemOf(node).statements, [marker]);
  return Number(row?.count ?? 0);
}

/** How many rows of a table satisfy the condition, asked past proxy and pool. */
export async function countRows(node: LabNode, table: string, where: string = "true"): Promise<number> {
  const [row] = await node.query<{ count: number | string }>(`SELECT count(*) AS count FROM ${table} WHERE ${where}`);
  return Number(row?.count ?? 0);
}
