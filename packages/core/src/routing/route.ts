import { mirrorLagMs } from "../topology/lag.ts";
import type { NodeId, NodeState } from "../topology/node.ts";
import { isUsable } from "../topology/node.ts";
import type { Topology } from "../topology/topology.ts";
import { writableNode } from "../topology/topology.ts";

export interface RoutingRules {
  readonly readFrom: "mirrors" | "primary";
  readonly maxLagBytes: number;
  readonly maxLagMs: number;
  readonly splitBrainReads: boolean;
}

/** What a statement asks of its node. */
export interface Demand {
  readonly intent: "read" | "write";
  /** Only a mirror that has every write completed before this time may answer; Infinity means the primary only. */
  readonly freshAfter: number;
  /** Where such a mirror is worth a short wait, before the primary has to answer: the demand as it is known by then. */
  readonly anew?: () => Demand;
  /** Of work that has begun: whoever holds new work waits for its end. */
  readonly isUnderWay?: boolean;
  /** Of what was lost with its node, and is settled or run again: new writes let it go first. */
  readonly isResumed?: boolean;
  /** Nodes that this call has already failed on. */
  readonly excluded?: ReadonlySet<NodeId>;
}

/** Nodes that may answer, not yet balanced; or why none may now, and the caller has to wait. */
export type Route =
  | { readonly type: "nodes"; readonly nodes: readonly NodeId[] }
  | { readonly type: "wait"; readonly reason: "held" | "no-primary" | "no-node" | "split-brain" };

/** Intent and topology in, nodes out. Pure. */
export function route(topology: Topology, demand: Demand, rules: RoutingRules): Route {
  if (isHeld(topology, demand)) return waitFor("held");
  return demand.intent === "write" ? routeWrite(topology, demand) : routeRead(topology, demand, rules);
}

/** Whether this node may answer, be it the best one or not: after a better one has failed, it need not be. Pure. */
export function mayAnswer(topology: Topology, demand: Demand, id: NodeId, rules: RoutingRules): boolean {
  if (isHeld(topology, demand)) return false;
  if (demand.intent === "write") return writableNode(topology) === id;
  if (topology.isSplit && !rules.splitBrainReads) return false;
  if (topology.primary === id) return true;
  const node = topology.nodes.get(id);
  return node !== undefined && usesMirrors(topology, rules) && isMirrorFit(topology, node, demand.freshAfter, rules);
}

const isHeld = ({ hold }: Topology, { intent, isUnderWay }: Demand): boolean =>
  isUnderWay !== true && (hold === "all" || (hold === "writes" && intent === "write"));

/** While nobody knows yet whether there is a primary, one that is asked for is waited for. */
const usesMirrors = ({ primary, isSettled }: Topology, { readFrom }: RoutingRules): boolean =>
  readFrom === "mirrors" || (isSettled && primary === undefined);

const waitFor = (reason: Extract<Route, { type: "wait" }>["reason"]): Route => ({ type: "wait", reason });

function routeWrite(topology: Topology, demand: Demand): Route {
  const node = writableNode(topology);
  if (node !== undefined && demand.excluded?.has(node) !== true) return { type: "nodes", nodes: [node] };
  return waitFor(topology.isSplit ? "split-brain" : "no-primary");
}

function routeRead(topology: Topology, demand: Demand, rules: RoutingRules): Route {
  if (topology.isSplit && !rules.splitBrainReads) return waitFor("split-brain");
  const { primary } = topology;
  const isCandidate = (node: NodeState): boolean =>
    isMirrorFit(topology, node, demand.freshAfter, rules) && demand.excluded?.has(node.id) !== true;
  if (usesMirrors(topology, rules)) {
    const mirrors: NodeId[] = [];
    for (const node of topology.nodes.values()) if (isCandidate(node)) mirrors.push(node.id);
    if (mirrors.length > 0) return { type: "nodes", nodes: mirrors };
  }
  // held writes mean that the primary is being handed over: reads that only it can answer go on until it leaves
  if (primary !== undefined && demand.excluded?.has(primary) !== true) return { type: "nodes", nodes: [primary] };
  return waitFor("no-node");
}

function isMirrorFit(topology: Topology, node: NodeState, freshAfter: number, rules: RoutingRules): boolean {
  if (!isUsable(node) || node.observation?.role !== "mirror") return false;
  if (freshAfter === Number.POSITIVE_INFINITY) return false;
  // a caller that has written nothing yet takes any mirror within the lag limits
  if (freshAfter !== Number.NEGATIVE_INFINITY && node.freshAsOf < freshAfter) return false;
  if (node.lagBytes !== undefined && node.lagBytes > rules.maxLagBytes) return false;
  return mirrorLagMs(topology, node) <= rules.maxLagMs;
}
