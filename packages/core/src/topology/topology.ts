import type { Fence, NodeId, NodeState } from "./node.ts";
import { unknownNode } from "./node.ts";

/** New work that has to wait because somebody asked for it: {@link FailoverPool.pause} holds all, a switchover the writes. */
export type Hold = "none" | "writes" | "all";

/** The primary that this pool has accepted, now or last. */
export interface Reign {
  readonly node: NodeId;
  readonly timeline: number | undefined;
  readonly instance: string;
  readonly systemId: string;
  /** Of its first claim. */
  readonly firstHistory?: string | undefined;
  /** Of its last claim, as is the position. */
  readonly history?: string | undefined;
  readonly position?: string | undefined;
}

/** Where the primary stood when a probe was sent: covers every write that had completed before. */
export interface Sample {
  readonly sentAt: number;
  readonly receivedAt: number;
  readonly position: string;
}

/** An immutable snapshot of all that is known of the cluster. Each change makes a new one. */
export interface Topology {
  readonly nodes: ReadonlyMap<NodeId, NodeState>;
  /** Counts the primaries that were accepted. Never goes back. */
  readonly epoch: number;
  /** The accepted primary, while it is up and neither fenced nor disputed. */
  readonly primary: NodeId | undefined;
  /** The primary takes writes. */
  readonly isWritable: boolean;
  /** Two nodes claim to be primary and none is provably newer. */
  readonly isSplit: boolean;
  /** The last accepted primary, kept when it is lost: what comes after has to be newer. */
  readonly reign: Reign | undefined;
  /** The highest timeline that any node of the cluster was seen on. */
  readonly highestTimeline: number;
  /** Every node has had its first verdict. No primary is accepted before: a superseded one may answer first. */
  readonly isSettled: boolean;
  /** Of the present epoch, oldest first, bounded. */
  readonly samples: readonly Sample[];
  readonly hold: Hold;
}

export function initialTopology(ids: readonly NodeId[]): Topology {
  return {
    nodes: new Map(ids.map((id) => [id, unknownNode(id)])),
    epoch: 0,
    primary: undefined,
    isWritable: false,
    isSplit: false,
    reign: undefined,
    highestTimeline: 0,
    isSettled: false,
    samples: [],
    hold: "none",
  };
}

/** The node that a write may go to now, holds apart. */
export function writableNode(topology: Topology): NodeId | undefined {
  return topology.isWritable ? topology.primary : undefined;
}

/** Who may be written to, and who must not be used although it answers. */
export interface Election {
  readonly primary: NodeId | undefined;
  readonly isSplit: boolean;
  readonly reign: Reign | undefined;
  readonly fences: ReadonlyMap<NodeId, Fence>;
}
