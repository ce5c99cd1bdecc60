import type { Fault, Observation } from "../driver.ts";

export type NodeId = string;

/** What the monitor holds of a node's health. `unknown` until the first verdict. */
export type NodeStatus = "unknown" | "up" | "down";

/**
 * Why a node gets no statement although it answers: `superseded`: it claims to be the primary of a time that is over;
 * `foreign`: it belongs to another cluster; `rival`: it claims to be primary beside another one and none is provably newer.
 */
export type Fence = "superseded" | "foreign" | "rival";

/** One node in a topology snapshot. */
export interface NodeState {
  readonly id: NodeId;
  readonly status: NodeStatus;
  readonly fence: Fence | undefined;
  /** The last observation; kept while the node is down. */
  readonly observation: Observation | undefined;
  /** When the probe of that observation was sent. */
  readonly observedAt: number;
  /** When its answer came. */
  readonly answeredAt: number;
  /** When this process was first seen to claim that it is primary; -Infinity while it does not. */
  readonly claimedAt: number;
  /** Moving average of the probes' round trips. */
  readonly latencyMs: number;
  /** Why it is down, or why its last connection attempt failed. */
  readonly fault: Fault | undefined;
  /** A mirror has every write of the cluster that had completed before this time; -Infinity when unknown. */
  readonly freshAsOf: number;
  /** How far a mirror's replay is behind the newest sample of the primary. */
  readonly lagBytes: number | undefined;
  /** It followed another node since it was last the primary; systems without timelines accept it as a new primary only then. */
  readonly hasFollowed: boolean;
}

export function unknownNode(id: NodeId): NodeState {
  return {
    id,
    status: "unknown",
    fence: undefined,
    observation: undefined,
    observedAt: Number.NEGATIVE_INFINITY,
    answeredAt: Number.NEGATIVE_INFINITY,
    claimedAt: Number.NEGATIVE_INFINITY,
    latencyMs: 0,
    fault: undefined,
    freshAsOf: Number.NEGATIVE_INFINITY,
    lagBytes: undefined,
    hasFollowed: false,
  };
}

/** The node answers, and what it answers may be used. */
export function isUsable(node: NodeState): boolean {
  return node.status === "up" && node.fence === undefined;
}
