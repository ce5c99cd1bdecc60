import type { NodeState } from "./node.ts";
import { MAX_SAMPLES } from "./reduce.ts";
import type { Topology } from "./topology.ts";

/** Whoever is promoted has all writes that were acknowledged before this time. */
export function mirroredUntil({ nodes, primary }: Topology): number {
  return Math.min(
    ...[...nodes.values()].map((node) => (node.id === primary ? Number.POSITIVE_INFINITY : node.freshAsOf)),
  );
}

/**
 * How long ago the mirror was certainly up to date, seen from the newest sample of the primary. Zero while there is none:
 * without a primary nothing can be behind it. Never measured by the servers' clocks, which may be wrong.
 */
export function mirrorLagMs(topology: Topology, node: NodeState): number {
  const newest = topology.samples.at(-1);
  const oldest = topology.samples[0];
  if (newest === undefined || oldest === undefined) return 0;
  if (Number.isFinite(node.freshAsOf)) return Math.max(0, newest.sentAt - node.freshAsOf);
  // it has none of the samples: as far behind as they reach back, at least
  return topology.samples.length >= MAX_SAMPLES ? Number.POSITIVE_INFINITY : newest.sentAt - oldest.sentAt;
}
