import type { Positions } from "@mirrorpool/core";
import { includesAll, listOf, parseGtidList, reaches } from "./gtid-list.ts";
import { includes, parseGtidSet, writtenBy } from "./gtid-set.ts";

/**
 * Positions as text:
 *
 * - MySQL: `gtid_executed`. With `~uuid` behind it, it is where a server was promoted that has written under that uuid since:
 *   what has the rest has reached it.
 * - MariaDB: the last GTID of each domain
 * - Galera: `wsrep:<cluster>:<number>`
 *
 * Histories are `<server>@<all it has>`, and in a Galera cluster `wsrep:<cluster>@<number of the view>`.
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
    const [server = "", has = ""] = history.split("@");
    const [otherServer = "", otherHas = ""] = other.split("@");
    if (server.startsWith("wsrep:")) return server === otherServer && BigInt(has) > BigInt(otherHas);
    if (formOf(has) !== formOf(otherHas)) return false;
    if (formOf(has) === "list") {
      const [own, foreign] = [parseGtidList(has), parseGtidList(otherHas)];
      const written = listOf(own, server);
      return written.size > 0 && includesAll(own, foreign) && !includesAll(foreign, written);
    }
    const [own, foreign] = [parseGtidSet(has), parseGtidSet(otherHas)];
    return includes(own, foreign) && !includes(foreign, writtenBy(own, server));
  },
};

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
