import type { Positions } from "@mirrorpool/core";
import { type GtidList, includesAll, listOf, parseGtidList, reaches } from "./gtid-list.ts";
import { type GtidSet, includes, parseGtidSet, writtenBy } from "./gtid-set.ts";

/**
 * Positions as text:
 *
 * - MySQL: `gtid_executed`. With `~uuid` behind it, it is where a server was promoted that has written under that uuid since:
 *   what has the rest has reached it.
 * - MariaDB: the last GTID of each domain
 * - Galera: `wsrep:<cluster>:<number>`
 *
 * Histories are `<server>@<all it has>`, without the latter where that proves nothing; with `@<number of its reign>` behind it where
 * that is noted in the ledger; and of a group's primary
 * `view:<of that group, since it was founded>@<number of the view>@<all it has>`.
 */
export const positions: Positions = {
  covers: (position, other) => {
    const form = formOf(other);
    if (form !== formOf(position)) return false;
    if (form === "wsrep") return coversWsrep(position, other);
    if (form === "list") return reaches(parseGtidList(position), parseGtidList(other));
    const [set = ""] = position.split("~");
    const [otherSet = "", without] = other.split("~");
    return includes(parseGtidSet(set), parseGtidSet(otherSet), without);
  },

  // transactions have numbers, and no size
  distanceBytes: () => undefined,

  supersedes: (history, other) => {
    const [server = "", has = "", reign] = history.split("@");
    const [otherServer = "", otherHas = "", otherReign] = other.split("@");
    if (server.startsWith("view:")) return server === otherServer && BigInt(has) > BigInt(otherHas);
    const isNumbered = reign !== undefined && otherReign !== undefined;
    if (isNumbered && reign !== otherReign) return Number(reign) > Number(otherReign);
    if (formOf(has) !== formOf(otherHas)) return false;
    return formOf(has) === "list"
      ? isLaterList(server, parseGtidList(has), otherServer, parseGtidList(otherHas))
      : isLaterSet(server, parseGtidSet(has), otherServer, parseGtidSet(otherHas));
  },

  hasFollowed: (history, other) => {
    const [server = "", has = ""] = history.split("@");
    const [otherServer = "", otherHas = ""] = other.split("@");
    if (server.startsWith("view:")) return server === otherServer && hasFollowedInGroup(history, other);
    if (formOf(has) !== formOf(otherHas)) return false;
    return formOf(has) === "list"
      ? hasMoreOfList(parseGtidList(has), otherServer, parseGtidList(otherHas))
      : hasMoreOfSet(parseGtidSet(has), otherServer, parseGtidSet(otherHas));
  },
};

/** A group may change its primary within a view, to a member that has all that the one before has. */
function hasFollowedInGroup(history: string, other: string): boolean {
  const [, view = "", has = ""] = history.split("@");
  const [, otherView = "", otherHas = ""] = other.split("@");
  return BigInt(view) >= BigInt(otherView) && includes(parseGtidSet(has), parseGtidSet(otherHas));
}

function hasMoreOfList(has: GtidList, otherServer: string, otherHas: GtidList): boolean {
  return includesAll(has, otherHas) && !includesAll(otherHas, listOf(has, otherServer));
}

function hasMoreOfSet(has: GtidSet, otherServer: string, otherHas: GtidSet): boolean {
  return includes(has, otherHas) && !includes(otherHas, writtenBy(has, otherServer));
}

/** The numbers of a domain go on from server to server: the other one's last transaction was its own. */
function isLaterList(server: string, has: GtidList, otherServer: string, otherHas: GtidList): boolean {
  const written = listOf(has, server);
  const wroteLast = [...otherHas.values()].every((gtids) => gtids.at(-1)?.server === otherServer);
  return wroteLast && otherHas.size > 0 && includesAll(has, otherHas) && !includesAll(otherHas, written);
}

/** Sets have no order: the other one has written, and has nothing yet of what this one wrote. */
function isLaterSet(server: string, has: GtidSet, otherServer: string, otherHas: GtidSet): boolean {
  const isFirstReign = writtenBy(otherHas, server).size === 0 && writtenBy(otherHas, otherServer).size > 0;
  return isFirstReign && includes(has, otherHas) && writtenBy(has, server).size > 0;
}

const WSREP = /^wsrep:([0-9a-f-]{36}):(\d{1,19})$/;

function formOf(position: string): "wsrep" | "set" | "list" {
  if (position.startsWith("wsrep:")) return "wsrep";
  return position.includes(":") ? "set" : "list";
}

function coversWsrep(position: string, other: string): boolean {
  const [one, another] = [WSREP.exec(position), WSREP.exec(other)];
  if (one === null || another === null) throw new Error("not a position of a Galera cluster");
  return one[1] === another[1] && BigInt(one[2] as string) >= BigInt(another[2] as string); // both matched
}
