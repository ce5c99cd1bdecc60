import { setTimeout as pause } from "node:timers/promises";
import type { DrawFault } from "./fault.ts";

/** An immediate stop: the server tells its clients (57P02) and goes without a checkpoint. */
export const drawStop: DrawFault = (random) => {
  const end = random.pick(["started again", "a mirror promoted"] as const);
  const downMs = random.pick([0, 100, 400]);
  return {
    name: `immediate stop, ${end}`,
    async play({ cluster, operator }) {
      const former = cluster.primary();
      await former.stop("immediate");
      await pause(downMs);
      if (end === "started again") await former.start();
      else await operator.failOver();
    },
  };
};
