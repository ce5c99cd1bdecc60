import type { Observation } from "@mirrorpool/core";
import { OutOfGroup } from "./classify.ts";
import { type Facts, isOn, isReadOnly } from "./facts.ts";
import type { Identity } from "./identity.ts";

/** Of a Galera node that has all of its cluster's writes, and of one that sends them to another node as well. */
const SYNCED = "4";
const DONOR = "2";

/**
 * A node of a Galera cluster. Any of them takes writes, and all agree on their order: they are peers. One that is read-only, or
 * still catches up, is a mirror. Pure.
 * @throws {OutOfGroup} outside the primary component, where a node answers no statement
 */
export function observeGalera({ flavour, instance, group }: Identity, facts: Facts): Observation {
  if (facts.get("wsrep_cluster_status") !== "Primary" || !isOn(facts.get("wsrep_ready"))) {
    throw new OutOfGroup("the node is not in the primary component of its Galera cluster");
  }
  const cluster = facts.get("wsrep_cluster_state_uuid") ?? group;
  const number = facts.get("wsrep_last_committed");
  const state = facts.get("wsrep_local_state");
  return {
    role: "mirror",
    isPeer: !isReadOnly(facts) && (state === SYNCED || state === DONOR),
    isWritable: false,
    systemId: `${flavour} ${cluster}`,
    instance,
    timeline: undefined,
    position: number ? `wsrep:${cluster}:${number}` : undefined,
    // acknowledged is only what all nodes have received
    isSynchronous: true,
  };
}

/**
 * A member of a Group Replication with one primary. That it is not read-only proves nothing: so is a server that has not joined
 * yet. Pure.
 * @throws {OutOfGroup} for one that is no member, or is a primary without a quorum, which lets its writes wait for ever
 */
export function observeMember({ flavour, instance, group }: Identity, facts: Facts): Observation {
  const state = facts.get("member_state");
  if (state !== "ONLINE" && state !== "RECOVERING") {
    throw new OutOfGroup(`the server is ${state ?? "no member"} in its group`);
  }
  const hasQuorum = 2 * Number(facts.get("members_reachable")) > Number(facts.get("members"));
  const isPrimary = facts.get("member_role") === "PRIMARY";
  if (isPrimary && !hasQuorum) throw new OutOfGroup("the primary has lost the quorum of its group");
  const seen = {
    systemId: `${flavour} ${group}`,
    instance,
    timeline: undefined,
    position: facts.get("primary_position") || undefined,
  };
  // while it is elected, or was switched to read-only
  if (!isPrimary || isReadOnly(facts)) return { ...seen, role: "mirror", isWritable: false, isFollowing: !isPrimary };
  const view = facts.get("view")?.replace(":", "@");
  return {
    ...seen,
    role: "primary",
    isWritable: true,
    // a primary that was put out of its group, and has not noticed yet, has an older view of it
    history: view === undefined ? undefined : `view:${view}`,
    // acknowledged is only what most members have received
    isSynchronous: true,
  };
}
