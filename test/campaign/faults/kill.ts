import { setTimeout as pause } from "node:timers/promises";
import type { DrawFault } from "./fault.ts";

/** `kill -9`: the primary starts again, or a mirror takes over, and perhaps the killed one comes back and still takes writes. */
export const drawKill: DrawFault = (random) => {
  const end = random.pick(["started again", "a mirror promoted", "a mirror promoted, and it comes back"] as const);
  const downMs = random.pick([0, 100, 400]);
  return {
    name: `kill -9, ${end}`,
    async play({ cluster, operator }) {
      const former = cluster.primary();
      await former.kill();
      await pause(downMs);
      if (end === "started again") await former.start();
      else await operator.failOver();
      if (end === "a mirror promoted, and it comes back") await operator.letLoose(former);
    },
  };
};
