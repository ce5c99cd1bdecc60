import type { FailoverPool, NodeReport, TopologyReport } from "@mirrorpool/core";
import type { Context } from "../context.ts";
import { exitCodes } from "../errors.ts";
import { bytes, duration, table } from "../output/format.ts";

/** How long the nodes may take to answer for the first time. */
const LOOK_MS = 5000;
const POLL_MS = 20;

/** Each node's role, lag and trouble. */
export async function status(context: Context, given: string | undefined): Promise<void> {
  const cluster = await context.cluster(given);
  await context.withPool(cluster, async (pool) => {
    const topology = await look(pool, context.options.timeout ?? LOOK_MS, context.signal);
    context.output.result({ cluster: cluster.name, ...topology }, () => describe(topology));
    if (!topology.isWritable) context.exitCode = exitCodes.unreachable;
    else if (topology.nodes.some(({ status }) => status !== "up")) context.exitCode = exitCodes.found;
  });
}

/** The topology once every node has answered or was given up. A cluster without a primary is an answer as well. */
export async function look(pool: FailoverPool, timeoutMs: number, signal: AbortSignal): Promise<TopologyReport> {
  const deadline = performance.now() + timeoutMs;
  await pool.start({ timeoutMs, signal }).catch(() => signal.throwIfAborted());
  // a primary answers first; the others get the rest of the time, and how far they are behind is known a moment later
  const isKnown = ({ status, role, lagBytes }: NodeReport): boolean =>
    status === "down" || (status === "up" && (role !== "mirror" || lagBytes !== undefined));
  const isComplete = ({ nodes, isWritable }: TopologyReport): boolean =>
    nodes.every((node) => isKnown(node) || (!isWritable && node.status === "up"));
  while (!isComplete(pool.topology()) && performance.now() < deadline) {
    signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return pool.topology();
}

/** As a table for the eye. */
export function describe(topology: TopologyReport): string {
  const rows = topology.nodes.map((node) => [
    node.id,
    node.status,
    node.role + (node.fence === undefined ? "" : ` (fenced: ${node.fence})`),
    lag(node),
    node.position ?? "",
    node.latencyMs > 0 ? `${node.latencyMs.toFixed(1)} ms` : "",
    node.fault ?? "",
  ]);
  const nodes = table(["node", "status", "role", "lag", "position", "latency", "trouble"], rows);
  const primary = topology.isWritable
    ? `${topology.primary} takes writes`
    : topology.isSplit
      ? "two nodes claim to be primary: no writes"
      : "no primary: no writes";
  const hold = topology.hold === "none" ? "" : `; new work is held (${topology.hold})`;
  return `${primary}${topology.timeline === undefined ? "" : `, timeline ${topology.timeline}`}${hold}\n\n${nodes}`;
}

function lag({ role, lagBytes, lagMs }: NodeReport): string {
  if (role !== "mirror" || lagBytes === undefined) return "";
  return lagMs === undefined || lagBytes === 0 ? bytes(lagBytes) : `${bytes(lagBytes)}, ${duration(lagMs)}`;
}
