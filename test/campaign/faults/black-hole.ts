import { setTimeout as pause } from "node:timers/promises";
import type { DrawFault } from "./fault.ts";

/** All bytes to and from a node disappear, and later the network heals. */
export const drawBlackHole: DrawFault = (random) => {
  const where = random.pick(["a mirror", "the primary", "the primary, a mirror promoted"] as const);
  const forMs = random.integer(100, 900);
  return {
    name: `black hole around ${where}, healed${where === "a mirror" ? ` after ${forMs} ms` : ""}`,
    async play({ cluster, operator }) {
      const former = cluster.primary();
      const node = where === "a mirror" ? (cluster.mirrors()[0] ?? former) : former;
      await node.proxy.blackHole();
      if (where === "a mirror") await pause(forMs);
      else if (where === "the primary") {
        await operator.untilGivenUp(former);
      } else {
        await operator.failOver();
        return operator.letLoose(former);
      }
      await node.proxy.heal();
    },
  };
};
