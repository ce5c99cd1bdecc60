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

/** The group suspects a member that it has not heard of for 5 s; the rest is for a machine under load. */
const SUSPICION_S = 10;

/**
 * A member of a Group Replication. Where each of them is a primary they are peers. Where one is, that it is not read-only proves nothing: so is a server that has not joined
 * yet. Pure.
 * @throws {OutOfGroup} for one that is no member, or takes writes without a quorum, and lets them wait for ever
 */
export function observeMember({ flavour, instance, group }: Identity, facts: Facts): Observation {
  const state = facts.get("member_state");
  if (state !== "ONLINE" && state !== "RECOVERING") {
    throw new OutOfGroup(`the server is ${state ?? "no member"} in its group`);
  }
  const isPrimary = facts.get("member_role") === "PRIMARY";
  if (isPrimary && !hasQuorum(facts)) throw new OutOfGroup("the primary has lost the quorum of its group");
  const seen = {
    systemId: `${flavour} ${group}`,
    instance,
    timeline: undefined,
    position: facts.get("primary_position") || undefined,
  };
  if (isPrimary && facts.get("single_primary") === "0") {
    return { ...seen, role: "mirror", isPeer: !isReadOnly(facts), isWritable: false, isSynchronous: true };
  }
  // while it is elected, or was switched to read-only
  if (!isPrimary || isReadOnly(facts)) return { ...seen, role: "mirror", isWritable: false, isFollowing: !isPrimary };
  const view = facts.get("view")?.replace(":", "@");
  return {
    ...seen,
    role: "primary",
    isWritable: true,
    // a primary that was put out of its group, and has not noticed yet, has an older view of it
    history: view === undefined ? undefined : `view:${view}@${facts.get("executed") ?? ""}`,
    // acknowledged is only what most members have received
    isSynchronous: true,
  };
}

/**
 * Its own view of the group may be old: it may have been frozen, or the others may have left without a word. Whether they still agree
 * with it is told by when they last did.
 */
function hasQuorum(facts: Facts): boolean {
  const age = facts.get("consensus_age_s");
  const limit = Number(facts.get("consensus_every_s")) + Number(facts.get("expel_timeout_s")) + SUSPICION_S;
  const isHeard = !age || Number(age) <= limit;
  return isHeard && 2 * Number(facts.get("members_reachable")) > Number(facts.get("members"));
}
