import type { Positions } from "@mirrorpool/core";
import type { Entry, Flavour } from "./server.ts";

/** Length of the log, as an LSN; or how many writes of each origin are in it, as a GTID set: `a:3,b:1`. */
export function formatPosition(log: readonly Entry[], flavour: Flavour): string {
  if (flavour !== "transaction-sets") return String(log.length);
  const counts = new Map<string, number>();
  for (const { origin } of log) counts.set(origin, (counts.get(origin) ?? 0) + 1);
  return [...counts].map(([origin, count]) => `${origin}:${count}`).join(",");
}

/** Compares log lengths. As with an LSN it is on the caller to compare positions of one history only. */
export const lengths: Positions = {
  covers: (position, other) => Number(position) >= Number(other),
  distanceBytes: (ahead, behind) => Math.max(0, Number(ahead) - Number(behind)),
};

/** Compares sets, which is right across histories as well. */
export const sets: Positions = {
  covers(position, other) {
    const has = toCounts(position);
    return [...toCounts(other)].every(([origin, count]) => (has.get(origin) ?? 0) >= count);
  },
  distanceBytes: () => undefined,
  // the other one has written, and has nothing yet of what this one wrote besides
  supersedes(history, other) {
    const [origin = "", own = ""] = history.split("@");
    const [otherOrigin = "", foreign = ""] = other.split("@");
    const [has, otherHas] = [toCounts(own), toCounts(foreign)];
    return has.has(origin) && otherHas.has(otherOrigin) && !otherHas.has(origin) && sets.covers(own, foreign);
  },
  hasFollowed(history, other) {
    const [, own = ""] = history.split("@");
    const [otherOrigin = "", foreign = ""] = other.split("@");
    const count = (position: string): number => toCounts(position).get(otherOrigin) ?? 0;
    return count(own) > count(foreign) && sets.covers(own, foreign);
  },
};

function toCounts(position: string): Map<string, number> {
  const parts = position === "" ? [] : position.split(",");
  return new Map(
    parts.map((part) => {
      const [origin = "", count] = part.split(":");
      return [origin, Number(count)];
    }),
  );
}
