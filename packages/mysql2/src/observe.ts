import type { Observation } from "@mirrorpool/core";
import { type Facts, isOn, isReadOnly } from "./facts.ts";
import type { Identity } from "./identity.ts";
import { observeGalera, observeMember } from "./observe-group.ts";
import { reignOf } from "./reign.ts";

/** A primary that waits this long for a mirror is believed to wait for ever. */
const LONG_MS = 3_600_000;

/**
 * What a server is, from its own variables. Pure.
 *
 * A node that is read-only, or on which the thread runs that applies another server's writes, is a mirror: a primary that was
 * switched to read-only cannot be told from a mirror whose replication was stopped.
 * @throws {OutOfGroup} for a member of a group that takes no part in it
 */
export function observe(identity: Identity, facts: Facts): Observation {
  if (identity.isGalera) return observeGalera(identity, facts);
  return identity.group === undefined ? observeReplicated(identity, facts) : observeMember(identity, facts);
}

function observeReplicated({ flavour, server, instance }: Identity, facts: Facts): Observation {
  const isMirror = isReadOnly(facts) || isOn(facts.get("applier")) || Number(facts.get("appliers") ?? 0) > 0;
  // servers that replicate from each other have no name in common
  const seen = { isWritable: !isMirror, systemId: flavour, instance, timeline: undefined };
  const position = facts.get(isMirror ? "mirror_position" : "primary_position") || undefined;
  if (isMirror) return { ...seen, role: "mirror", position, isFollowing: isFollowing(facts) };
  const executed = facts.get("executed") || undefined;
  // whether a node follows another one nobody may see on MySQL without a privilege: then its own writes prove nothing
  const isCertain = flavour === "mariadb" || facts.get("applier") !== undefined;
  return {
    ...seen,
    role: "primary",
    position,
    endOfRecovery: endOfRecovery(flavour, server, facts),
    history: historyOf(server, isCertain ? executed : undefined, reignOf(server, facts.get("reign"))),
    isSynchronous: isSynchronous(facts),
  };
}

/** As {@link positions} has it. A reign that was noted is certain, whatever else may be seen. */
function historyOf(server: string, executed: string | undefined, reign: number | undefined): string | undefined {
  if (reign !== undefined) return `${server}@${executed ?? ""}@${reign}`;
  return executed === undefined ? undefined : `${server}@${executed}`;
}

/** On MySQL it takes a privilege to see that there is no thread. */
function isFollowing(facts: Facts): boolean | undefined {
  const appliers = facts.get("appliers") ?? facts.get("applier");
  return appliers === undefined ? undefined : isOn(appliers);
}

/** MariaDB keeps what it has replicated apart; on MySQL it is what other servers have written. */
function endOfRecovery(flavour: Identity["flavour"], server: string, facts: Facts): string | undefined {
  if (flavour === "mariadb") return facts.get("mirror_only") || undefined;
  const position = facts.get("primary_position") || undefined;
  return position === undefined ? undefined : `${position}~${server}`;
}

/** Only where it never goes on without a mirror. */
function isSynchronous(facts: Facts): boolean {
  const isLossless = facts.get("semi_sync_wait_point") === "AFTER_SYNC" && isOn(facts.get("semi_sync_wait_alone"));
  return isOn(facts.get("semi_sync")) && isLossless && Number(facts.get("semi_sync_timeout")) >= LONG_MS;
}
