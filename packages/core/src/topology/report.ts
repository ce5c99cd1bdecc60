import { faultText } from "./fault-text.ts";
import { mirrorLagMs } from "./lag.ts";
import type { Fence, NodeId, NodeStatus } from "./node.ts";
import type { Hold, Topology } from "./topology.ts";

/** What is known of one node, as plain data for errors, `topology()` and the application's own monitoring. */
export interface NodeReport {
  readonly id: NodeId;
  readonly status: NodeStatus;
  readonly role: "primary" | "mirror" | "unknown";
  readonly isWritable: boolean;
  readonly fence: Fence | undefined;
  readonly timeline: number | undefined;
  readonly position: string | undefined;
  /** Milliseconds since the last answer; undefined when there was none. */
  readonly observedAgoMs: number | undefined;
  readonly latencyMs: number;
  readonly lagBytes: number | undefined;
  /** How long ago the mirror was certainly up to date, at the last sample of the primary; undefined when unknown. */
  readonly lagMs: number | undefined;
  /** Such as `refused (ECONNREFUSED)`. */
  readonly fault: string | undefined;
}

/** The cluster as this pool sees it, as plain data. */
export interface TopologyReport {
  readonly epoch: number;
  readonly primary: NodeId | undefined;
  readonly isWritable: boolean;
  readonly isSplit: boolean;
  readonly timeline: number | undefined;
  readonly hold: Hold;
  readonly nodes: readonly NodeReport[];
}

export function reportTopology(topology: Topology, now: number): TopologyReport {
  return Object.freeze({
    epoch: topology.epoch,
    primary: topology.primary,
    isWritable: topology.isWritable,
    isSplit: topology.isSplit,
    timeline: topology.highestTimeline === 0 ? undefined : topology.highestTimeline,
    hold: topology.hold,
    nodes: Object.freeze(reportNodes(topology, now)),
  });
}

export function reportNodes(topology: Topology, now: number): NodeReport[] {
  return [...topology.nodes.values()].map((node) => {
    const seen = node.observation;
    return Object.freeze({
      id: node.id,
      status: node.status,
      role: seen?.role ?? "unknown",
      isWritable: node.id === topology.primary && topology.isWritable,
      fence: node.fence,
      timeline: seen?.timeline,
      position: seen?.position,
      observedAgoMs: seen === undefined ? undefined : Math.max(0, now - node.observedAt),
      latencyMs: node.latencyMs,
      lagBytes: seen?.role === "mirror" ? node.lagBytes : undefined,
      lagMs: seen?.role === "mirror" && topology.samples.length > 0 ? mirrorLagMs(topology, node) : undefined,
      fault: node.fault && faultText(node.fault),
    } satisfies NodeReport);
  });
}

/** One line for an error message: `a:5432 down, refused (ECONNREFUSED); b:5432 up, mirror, timeline 2`. */
export function describeNodes(nodes: readonly NodeReport[]): string {
  return nodes
    .map((node) => {
      const facts = [node.status === "up" ? node.role : undefined, node.fence, node.fault].filter(Boolean);
      if (node.status === "up" && node.timeline !== undefined) facts.push(`timeline ${node.timeline}`);
      return `${node.id} ${[node.status, ...facts].join(", ")}`;
    })
    .join("; ");
}
