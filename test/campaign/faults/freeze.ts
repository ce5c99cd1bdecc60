import { setTimeout as pause } from "node:timers/promises";
import type { DrawFault } from "./fault.ts";

/** The primary freezes: too short to be noticed, until the pool has given it up, or until a mirror has taken its place. */
export const drawFreeze: DrawFault = (random) => {
  const end = random.pick(["thawed soon", "thawed when it was given up", "a mirror promoted, and it thaws"] as const);
  const soonMs = random.integer(50, 350);
  return {
    name: `freeze, ${end === "thawed soon" ? `thawed after ${soonMs} ms` : end}`,
    async play({ cluster, operator }) {
      const former = cluster.primary();
      await former.freeze();
      if (end === "thawed soon") await pause(soonMs);
      if (end === "thawed when it was given up") await operator.untilGivenUp(former);
      if (end !== "a mirror promoted, and it thaws") return former.thaw();
      await operator.failOver();
      await operator.letLoose(former);
    },
  };
};
