import type { Positions } from "../driver.ts";
import type { Fence, NodeId, NodeState } from "../topology/node.ts";
import type { Election, Reign, Topology } from "../topology/topology.ts";

/**
 * Finds the primary among the nodes' own claims. The rules (FACTS: a promotion always makes a higher timeline):
 *
 * 1. Another system identifier is never the same cluster; before a primary was accepted, nobody can say which one is meant.
 * 2. A claim on a timeline below the highest one seen is superseded, for as long as the node makes it.
 * 3. Of several claims the highest timeline wins; on equal timelines writes stop, unless it is one server with two addresses.
 * 4. A claim on the accepted primary's own timeline by another server is a rival: two mirrors were promoted from one
 *    ancestor, and the other's writes are not here. That the accepted one is down proves nothing; that it follows does.
 * 5. Where the system has no timelines, a node other than the accepted primary must have been seen following since it last
 *    reigned, or its history tells that it has. That it lacks some writes is no reason against it: the loss is reported. Only one
 *    claim may stand, or of several one whose history tells that it is later than the others.
 *    Until each has claimed it again since the other did, there is no primary yet, and no split: the one may be gone by now.
 * 6. Peers agree among themselves on the order of all writes, so that none can be superseded: the accepted one stays the primary
 *    as long as it may, which keeps the writes of one process from conflicting; else it is the first one in the configuration.
 */
export function elect(topology: Topology, positions: Positions): Election {
  const { reign } = topology;
  const fences = new Map<NodeId, Fence>();
  const claimants: NodeState[] = [];
  const peers: NodeState[] = [];
  for (const node of topology.nodes.values()) {
    const seen = node.observation;
    if (seen === undefined) continue;
    if (reign !== undefined && seen.systemId !== reign.systemId) fences.set(node.id, "foreign");
    else if (seen.isPeer === true) {
      if (node.status === "up") peers.push(node);
    } else if (seen.role !== "primary") {
      // a mirror stuck on an old timeline is merely stale; freshness keeps reads from it
    } else if (isSuperseded(node, topology, positions)) fences.set(node.id, "superseded");
    else if (node.status === "up") claimants.push(node);
  }
  const candidates = claimants.length > 0 ? claimants : peers;
  if (!topology.isSettled || candidates.length === 0) return { primary: undefined, isSplit: false, reign, fences };

  const winner = isOneCluster(topology) ? pick(candidates, topology) : undefined;
  if (winner === undefined) {
    for (const node of candidates) if (node.id !== reign?.node) fences.set(node.id, "rival");
    return { primary: undefined, isSplit: isConfirmed(candidates), reign, fences };
  }
  const { timeline, instance, systemId, history, position } = winner.observation as NonNullable<
    NodeState["observation"]
  >;
  const firstHistory = reign?.node === winner.id ? reign.firstHistory : history;
  return {
    primary: winner.id,
    isSplit: false,
    reign: { node: winner.id, timeline, instance, systemId, firstHistory, history, position },
    fences,
  };
}

function isSuperseded(node: NodeState, topology: Topology, positions: Positions): boolean {
  const { supersedes } = positions;
  const timeline = node.observation?.timeline;
  if (timeline !== undefined) return timeline < topology.highestTimeline;
  const { reign, nodes } = topology;
  const isLater = (one: NodeState | undefined, other: NodeState): boolean => {
    const [history, older] = [one?.observation?.history, other.observation?.history];
    return history !== undefined && older !== undefined && supersedes?.(history, older) === true;
  };
  if (reign === undefined) return [...nodes.values()].some((each) => each.status === "up" && isLater(each, node));
  const accepted = nodes.get(reign.node);
  const isOverthrown = (each: NodeState): boolean => each.status === "up" && each.hasFollowed && isLater(each, node);
  if (accepted === undefined || accepted === node) return [...nodes.values()].some(isOverthrown);
  if (node.hasFollowed || isLater(node, accepted)) return false;
  return !isFollower(node, reign, positions);
}

/**
 * Without timelines: it has more of the accepted primary's own writes than that was last seen to have, or else more than that had when
 * it was accepted, and everything that it was last seen to have.
 */
function isFollower({ observation }: NodeState, reign: Reign, { covers, hasFollowed }: Positions): boolean {
  const { history, position } = observation ?? {};
  const hasMoreThan = (other: string | undefined): boolean =>
    history !== undefined && other !== undefined && hasFollowed?.(history, other) === true;
  if (hasMoreThan(reign.history)) return true;
  const isUpToDate = position !== undefined && reign.position !== undefined && covers(position, reign.position);
  return isUpToDate && hasMoreThan(reign.firstHistory);
}

/**
 * Without timelines: each of them has claimed it again since the others were seen to claim it. A primary that hangs is not known to be
 * gone at once, and its last claim may be older than the promotion of its successor.
 */
function isConfirmed(claimants: readonly NodeState[]): boolean {
  return claimants.every((one) =>
    claimants.every(
      (other) => one === other || one.observation?.timeline !== undefined || one.observedAt >= other.claimedAt,
    ),
  );
}

function isOneCluster(topology: Topology): boolean {
  if (topology.reign !== undefined) return true; // others are fenced as foreign
  const ids = new Set([...topology.nodes.values()].map((node) => node.observation?.systemId));
  ids.delete(undefined);
  return ids.size <= 1;
}

function pick(claimants: readonly NodeState[], topology: Topology): NodeState | undefined {
  const { reign } = topology;
  if (claimants[0]?.observation?.isPeer === true) return claimants.find(({ id }) => id === reign?.node) ?? claimants[0];
  const instances = new Set(claimants.map((node) => node.observation?.instance));
  if (instances.size > 1) return undefined;
  const winner = claimants.find((node) => node.id === reign?.node) ?? claimants[0];
  return winner !== undefined && (reign === undefined || maySucceed(winner, reign, topology)) ? winner : undefined;
}

function maySucceed(node: NodeState, reign: Reign, topology: Topology): boolean {
  if (node.id === reign.node || node.observation?.instance === reign.instance) return true;
  const former = topology.nodes.get(reign.node);
  if (former?.status === "up" && former.observation?.role === "mirror") return true; // it has given way by itself
  const timeline = node.observation?.timeline;
  if (timeline === undefined || reign.timeline === undefined) return true; // rule 5 was applied before
  return timeline > reign.timeline;
}
