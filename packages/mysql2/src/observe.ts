import type { Observation } from "@mirrorpool/core";
import type { Identity } from "./identity.ts";

/** What a server answered to the probe, by name. */
export type Facts = ReadonlyMap<string, string | null>;

/** A primary that waits this long for a mirror is believed to wait for ever. */
const LONG_MS = 3_600_000;

/** Of a Galera node that has all of its cluster's writes. */
const SYNCED = "4";

/**
 * What a server is, from its own variables. Pure.
 *
 * A node that is read-only, or on which the thread runs that applies another server's writes, is a mirror: a primary that was
 * switched to read-only cannot be told from a mirror whose replication was stopped. In a Galera cluster any node takes writes, and
 * all agree on their order: the first one is the primary here.
 */
export function observe(identity: Identity, facts: Facts): Observation {
  return identity.isGalera ? observeGalera(identity, facts) : observeReplicated(identity, facts);
}

function observeReplicated({ flavour, server, instance, group }: Identity, facts: Facts): Observation {
  const isReadOnly = ["read_only", "super_read_only", "innodb_read_only"].some((name) => isOn(facts.get(name)));
  const isMirror = isReadOnly || isOn(facts.get("applier")) || Number(facts.get("appliers") ?? 0) > 0;
  const seen = {
    isWritable: !isMirror,
    // servers that replicate from each other have no name in common, unless they are a group
    systemId: group === undefined ? flavour : `${flavour} ${group}`,
    instance,
    timeline: undefined,
  };
  const position = facts.get(isMirror ? "mirror_position" : "primary_position") || undefined;
  if (isMirror) return { ...seen, role: "mirror", position };
  const executed = facts.get("executed") || undefined;
  // whether a node follows another one nobody may see on MySQL without a privilege: then its own writes prove nothing
  const isCertain = flavour === "mariadb" || facts.get("applier") !== undefined;
  return {
    ...seen,
    role: "primary",
    position,
    endOfRecovery: endOfRecovery(flavour, server, facts),
    history: executed === undefined || !isCertain ? undefined : `${server}@${executed}`,
    isSynchronous: isSynchronous(facts),
  };
}

/** MariaDB keeps what it has replicated apart; on MySQL it is what other servers have written. */
function endOfRecovery(flavour: Identity["flavour"], server: string, facts: Facts): string | undefined {
  if (flavour === "mariadb") return facts.get("mirror_only") || undefined;
  const position = facts.get("primary_position") || undefined;
  return position === undefined ? undefined : `${position}~${server}`;
}

/** Only where it never goes on without a mirror. */
function isSynchronous(facts: Facts): boolean {
  if (isOn(facts.get("member_online"))) return true;
  const isLossless = facts.get("semi_sync_wait_point") === "AFTER_SYNC" && isOn(facts.get("semi_sync_wait_alone"));
  return isOn(facts.get("semi_sync")) && isLossless && Number(facts.get("semi_sync_timeout")) >= LONG_MS;
}

function observeGalera({ flavour, instance, group }: Identity, facts: Facts): Observation {
  const isSynced = facts.get("wsrep_local_state") === SYNCED && isOn(facts.get("wsrep_ready"));
  const isMirror = isOn(facts.get("read_only")) || facts.get("wsrep_local_index") !== "0" || !isSynced;
  const cluster = facts.get("wsrep_cluster_state_uuid") ?? group;
  const number = facts.get("wsrep_last_committed");
  return {
    role: isMirror ? "mirror" : "primary",
    isWritable: !isMirror,
    systemId: `${flavour} ${cluster}`,
    instance,
    timeline: undefined,
    // one that is still catching up has no position: it is not fresh
    position: isSynced && number ? `wsrep:${cluster}:${number}` : undefined,
    history: isMirror ? undefined : `wsrep:${cluster}@${facts.get("wsrep_cluster_conf_id") ?? 0}`,
    isSynchronous: !isMirror,
  };
}

function isOn(value: string | null | undefined): boolean {
  return value !== undefined && value !== null && value !== "" && value !== "0" && value.toUpperCase() !== "OFF";
}
