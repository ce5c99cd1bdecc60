import { setTimeout as pause } from "node:timers/promises";
import type { DrawFault } from "./fault.ts";

/**
 * All sessions of the primary, or of all nodes, are ended (57P01), once or twice in a row. Not more often: a read that loses
 * its connection three times over may be what ends the sessions, and is told so.
 */
export const drawTermination: DrawFault = (random) => {
  const times = random.pick(["once", "twice"] as const);
  const where = random.pick(["the primary", "all nodes"] as const);
  return {
    name: `backends of ${where} terminated ${times}`,
    async play({ cluster }) {
      for (let left = times === "once" ? 1 : 2; left > 0; left -= 1) {
        const nodes = where === "all nodes" ? cluster.nodes : [cluster.primary()];
        const reachable = nodes.filter((node) => node === cluster.primary() || cluster.mirrors().includes(node));
        for (const node of reachable) await node.terminateBackends();
        await pause(20);
      }
    },
  };
};
