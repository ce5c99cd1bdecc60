import type { Observation, Positions, StatementFacts } from "../src/driver.ts";
import { elect } from "../src/failover/elect.ts";
import type { ReduceRules, TopologyEvent } from "../src/topology/reduce.ts";
import { reduce } from "../src/topology/reduce.ts";
import type { Topology } from "../src/topology/topology.ts";
import { initialTopology } from "../src/topology/topology.ts";

/** Positions are numbers of bytes. */
export const positions: Positions = {
  covers: (position, other) => Number(position) >= Number(other),
  distanceBytes: (ahead, behind) => Math.max(0, Number(ahead) - Number(behind)),
  // `owner:writers`, one letter for each write: who has followed the other one up to its own last write, and has written since
  supersedes: (history, other) => {
    const [[owner = "", writes = ""], [otherOwner = "", otherWrites = ""]] = [history.split(":"), other.split(":")];
    return (
      writes.startsWith(otherWrites) &&
      otherWrites.endsWith(otherOwner) &&
      writes !== otherWrites &&
      writes.endsWith(owner)
    );
  },
  hasFollowed: (history, other) => {
    const [[, writes = ""], [otherOwner = "", otherWrites = ""]] = [history.split(":"), other.split(":")];
    return writes.startsWith(otherWrites) && writes.slice(otherWrites.length).includes(otherOwner);
  },
};

export const rules: ReduceRules = { elect, positions };

/** A primary on timeline 1, unless told otherwise. */
export function primary(changes: Partial<Observation> = {}): Observation {
  return {
    role: "primary",
    isWritable: true,
    systemId: "ours",
    instance: "instance",
    timeline: 1,
    position: "0",
    ...changes,
  };
}

export function mirror(changes: Partial<Observation> = {}): Observation {
  return primary({ role: "mirror", isWritable: false, ...changes });
}

export function observed(
  node: string,
  observation: Observation,
  sentAt = 0,
  receivedAt: number = sentAt,
): TopologyEvent {
  return {
    type: "observed",
    node,
    observation: { ...observation, instance: observation.instance === "instance" ? node : observation.instance },
    sentAt,
    receivedAt,
  };
}

export function lost(node: string): TopologyEvent {
  return { type: "lost", node, fault: { kind: "refused", code: "ECONNREFUSED" } };
}

/** What comes of a sequence of events. */
export function after(before: Topology, ...events: readonly TopologyEvent[]): Topology {
  return events.reduce((topology, event) => reduce(topology, event, rules), before);
}

export function blank(...nodes: readonly string[]): Topology {
  return initialTopology(nodes);
}

/** Primary `a` with mirrors `b` and `c`, all seen at time 0, and a first sample of the primary then. */
export function healthy(): Topology {
  const claims = [observed("a", primary()), observed("b", mirror()), observed("c", mirror())];
  return after(blank("a", "b", "c"), ...claims, observed("a", primary()));
}

export function facts(changes: Partial<StatementFacts> = {}): StatementFacts {
  return {
    intent: "write",
    transaction: "none",
    session: "none",
    transactional: true,
    multiple: false,
    stream: false,
    command: "INSERT",
    ...changes,
  };
}
