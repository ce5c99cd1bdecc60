import { faultText } from "../topology/fault-text.ts";
import type { NodeState } from "../topology/node.ts";
import type { Topology } from "../topology/topology.ts";
import { writableNode } from "../topology/topology.ts";
import type { PoolEventName, PoolEvents } from "./events.ts";

type Change = { [N in PoolEventName]: readonly [N, PoolEvents[N]] }[PoolEventName];

/** The events that lie between two snapshots of the topology, in the order in which they are told. Pure. */
export function changes(before: Topology, after: Topology, isSwitchover: boolean): Change[] {
  return [...nodeChanges(before, after), ...primaryChanges(before, after, isSwitchover)];
}

function nodeChanges(before: Topology, after: Topology): Change[] {
  const result: Change[] = [];
  for (const node of after.nodes.values()) {
    const was = before.nodes.get(node.id);
    if (node === was) continue;
    const role = node.observation?.role ?? "mirror";
    if (node.status === "up" && was?.status !== "up") result.push(["node-up", { node: node.id, role }]);
    if (node.status === "down" && was?.status !== "down") {
      result.push(["node-down", { node: node.id, reason: faultText(node.fault) }]);
    }
    if (node.fence !== undefined && node.fence !== was?.fence) {
      result.push(["node-fenced", { node: node.id, reason: node.fence, timeline: node.observation?.timeline }]);
    }
    if (node.fault?.kind === "configuration" && was?.fault?.kind !== "configuration") {
      result.push(["node-misconfigured", { node: node.id, reason: faultText(node.fault) }]);
    }
  }
  return result;
}

function primaryChanges(before: Topology, after: Topology, isSwitchover: boolean): Change[] {
  const result: Change[] = [];
  if (after.isSplit && !before.isSplit) {
    const claims = [...after.nodes.values()].filter(isClaim);
    result.push(["split-brain", { nodes: claims.map((node) => node.id) }]);
  }
  const was = writableNode(before);
  const is = writableNode(after);
  if (after.epoch !== before.epoch && after.primary !== undefined) {
    const previous = before.reign?.node;
    const reason = previous === undefined ? "initial" : isSwitchover ? "switchover" : "failover";
    const { primary: node, epoch } = after;
    result.push(["primary-changed", { node, previous, epoch, timeline: after.reign?.timeline, reason }]);
  } else if (was !== undefined && is === undefined) {
    const state = after.nodes.get(was);
    const role = after.isSplit ? "split-brain" : (state?.observation?.role ?? "unknown");
    const reason = state?.status === "down" ? faultText(state.fault) : (state?.fence ?? role);
    result.push(["primary-lost", { node: was, reason: after.primary === was ? "read-only" : reason }]);
  } else if (was === undefined && is !== undefined) {
    result.push(["primary-restored", { node: is }]);
  }
  return result;
}

/** The node takes part in the dispute: neither down nor of a time or a cluster that does not count. */
function isClaim({ status, fence, observation }: NodeState): boolean {
  return status === "up" && observation?.role === "primary" && (fence === undefined || fence === "rival");
}
