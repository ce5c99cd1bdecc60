import type { Fault, Observation, Positions } from "../driver.ts";
import type { NodeId, NodeState } from "./node.ts";
import type { Election, Hold, Reign, Sample, Topology } from "./topology.ts";

/** What can happen to the topology. Times are those of the environment's clock. */
export type TopologyEvent =
  | {
      readonly type: "observed";
      readonly node: NodeId;
      readonly observation: Observation;
      readonly sentAt: number;
      readonly receivedAt: number;
    }
  | { readonly type: "lost"; readonly node: NodeId; readonly fault: Fault }
  /** An attempt failed, which proves nothing yet about the node's health. */
  | { readonly type: "troubled"; readonly node: NodeId; readonly fault: Fault }
  | { readonly type: "held"; readonly hold: Hold };

export interface ReduceRules {
  readonly elect: (topology: Topology, positions: Positions) => Election;
  readonly positions: Positions;
}

/** Enough for mirrors that are some twenty seconds behind at the default probing interval. */
export const MAX_SAMPLES = 80;

/** One event, one new snapshot; the same snapshot where nothing changed. Pure. */
export function reduce(before: Topology, event: TopologyEvent, rules: ReduceRules): Topology {
  if (event.type === "held") return event.hold === before.hold ? before : { ...before, hold: event.hold };
  const node = before.nodes.get(event.node);
  if (node === undefined) return before;
  switch (event.type) {
    case "observed":
      return settle(before, observe(before, node, event, rules.positions), rules);
    case "lost":
      if (node.status === "down" && node.fault?.kind === event.fault.kind) return before;
      return settle(before, { ...node, status: "down", fault: event.fault }, rules);
    case "troubled":
      // before the first verdict an attempt that gets nowhere is one: there is nothing else to go by
      return settle(
        before,
        { ...node, status: node.status === "unknown" ? "down" : node.status, fault: event.fault },
        rules,
      );
    default:
      return event satisfies never;
  }
}

type Observed = Extract<TopologyEvent, { type: "observed" }>;

function observe(topology: Topology, node: NodeState, event: Observed, positions: Positions): NodeState {
  const { observation, sentAt, receivedAt } = event;
  const roundTrip = Math.max(0, receivedAt - sentAt);
  const isFirst = node.observation === undefined;
  return {
    ...node,
    status: "up",
    observation,
    observedAt: sentAt,
    answeredAt: receivedAt,
    claimedAt: claimedAt(node, observation, receivedAt),
    latencyMs: isFirst ? roundTrip : node.latencyMs * 0.8 + roundTrip * 0.2,
    fault: undefined,
    hasFollowed: follows(observation) || (node.hasFollowed && topology.reign?.node !== node.id),
    ...mirrorFreshness(topology, node, event, positions),
  };
}

function follows({ role, isFollowing }: Observation): boolean {
  return role === "mirror" && isFollowing !== false;
}

function claimedAt(before: NodeState, { role, instance }: Observation, receivedAt: number): number {
  if (role !== "primary") return Number.NEGATIVE_INFINITY;
  const { observation } = before;
  return observation?.role === "primary" && observation.instance === instance ? before.claimedAt : receivedAt;
}

/** A mirror that has replayed a sample has all writes that had completed before the sample was sent. */
function mirrorFreshness(
  topology: Topology,
  node: NodeState,
  { observation, sentAt }: Observed,
  positions: Positions,
): Pick<NodeState, "freshAsOf" | "lagBytes"> {
  const none = { freshAsOf: Number.NEGATIVE_INFINITY, lagBytes: undefined };
  const { position, role, timeline } = observation;
  if (role !== "mirror") return none;
  // it has given way and nobody has followed yet: there is no write that it does not have
  const { reign } = topology;
  if (reign?.node === node.id && reign.instance === observation.instance) {
    return { freshAsOf: sentAt, lagBytes: undefined };
  }
  if (position === undefined) return none;
  // its own claim proves that it follows another history
  if (timeline !== undefined && timeline < topology.highestTimeline) return none;
  // what a former process had replayed says nothing of one that was rebuilt or restored
  const before = node.observation?.instance === observation.instance ? node.freshAsOf : Number.NEGATIVE_INFINITY;
  const newest = topology.samples.at(-1);
  if (newest === undefined) return { ...none, freshAsOf: before };
  const covered = topology.samples.findLast((sample) => positions.covers(position, sample.position));
  return {
    freshAsOf: Math.max(covered?.sentAt ?? Number.NEGATIVE_INFINITY, before),
    lagBytes: covered === newest ? 0 : positions.distanceBytes(newest.position, position),
  };
}

function settle(before: Topology, node: NodeState, rules: ReduceRules): Topology {
  const nodes = new Map(before.nodes).set(node.id, node);
  const isSettled = before.isSettled || [...nodes.values()].every((each) => each.status !== "unknown");
  const highestTimeline = highest(nodes, before);
  const { primary, isSplit, reign, fences } = rules.elect(
    { ...before, nodes, isSettled, highestTimeline },
    rules.positions,
  );
  for (const [id, each] of nodes) {
    const fence = fences.get(id);
    const observation = each.observation && inOffice(each.observation, id === primary);
    if (each.fence !== fence || each.observation !== observation) nodes.set(id, { ...each, fence, observation });
  }
  const isNewReign = isSuccession(before.reign, reign);
  if (isNewReign) for (const [id, each] of nodes) nodes.set(id, enterReign(each, reign));
  return {
    ...before,
    nodes,
    isSettled,
    highestTimeline,
    primary,
    isSplit,
    reign,
    epoch: before.epoch + (isNewReign ? 1 : 0),
    isWritable: primary !== undefined && nodes.get(primary)?.observation?.isWritable === true,
    samples: sampled(isNewReign ? [] : before.samples, primary, node),
  };
}

/** Of peers one is the primary, and the others are mirrors: they say of themselves that they might be either. */
function inOffice(observation: Observation, isPrimary: boolean): Observation {
  const role = isPrimary ? "primary" : "mirror";
  if (observation.isPeer !== true || observation.role === role) return observation;
  return { ...observation, role, isWritable: isPrimary };
}

function highest(nodes: ReadonlyMap<NodeId, NodeState>, before: Topology): number {
  // while nobody knows which cluster is meant, a stranger's timeline shall not outlive the stranger
  let result = before.reign === undefined ? 0 : before.highestTimeline;
  for (const { observation } of nodes.values()) {
    if (observation?.timeline === undefined) continue;
    if (before.reign !== undefined && observation.systemId !== before.reign.systemId) continue;
    result = Math.max(result, observation.timeline);
  }
  return result;
}

/** The same node on the same timeline reigns on, also after a restart. */
function isSuccession(before: Reign | undefined, after: Reign | undefined): boolean {
  return (
    after !== undefined && (before === undefined || before.node !== after.node || before.timeline !== after.timeline)
  );
}

/** What a mirror had replayed counts for the reign that is over; and the new primary may never be seen again before it is lost. */
function enterReign(node: NodeState, reign: Reign | undefined): NodeState {
  const hasFollowed = node.hasFollowed && node.id !== reign?.node;
  return { ...node, freshAsOf: Number.NEGATIVE_INFINITY, lagBytes: undefined, hasFollowed };
}

function sampled(samples: readonly Sample[], primary: NodeId | undefined, node: NodeState): readonly Sample[] {
  const position = node.observation?.position;
  if (node.id !== primary || position === undefined || samples.at(-1)?.sentAt === node.observedAt) return samples;
  return [...samples.slice(-(MAX_SAMPLES - 1)), { sentAt: node.observedAt, receivedAt: node.answeredAt, position }];
}
