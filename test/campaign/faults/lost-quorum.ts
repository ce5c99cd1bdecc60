import { setTimeout as pause } from "node:timers/promises";
import type { DrawFault } from "./fault.ts";

/**
 * Two of the three nodes of a group are lost at once: nobody may write any more. Killed ones do not come back before the one that
 * is left has founded the group anew; frozen ones thaw.
 */
export const drawLostQuorum: DrawFault = (random) => {
  const left = random.pick(["the primary", "a mirror"] as const);
  const how = random.pick(["killed", "frozen"] as const);
  return {
    name: `quorum lost, ${left} left, the others ${how}`,
    async play({ cluster, operator, pool }) {
      const survivor = left === "the primary" ? cluster.primary() : (cluster.mirrors()[0] ?? cluster.primary());
      const others = cluster.nodes.filter((node) => node !== survivor);
      await Promise.all(others.map((node) => (how === "killed" ? node.kill() : node.freeze())));
      await operator.until("nobody to be written to", () => !pool.topology().isWritable);
      if (how === "frozen") {
        for (const node of others) await node.thaw();
        return;
      }
      await cluster.promote(survivor);
      for (const node of others) await cluster.rejoin(node);
    },
  };
};

/** A node that is not the primary is lost: for a moment the group confirms nothing, and then goes on without it. */
export const drawLostMember: DrawFault = (random) => {
  const how = random.pick(["killed", "frozen"] as const);
  const forMs = random.integer(500, 3000);
  return {
    name: `a mirror of the group ${how}, back after ${forMs} ms`,
    async play({ cluster, operator }) {
      const node = cluster.mirrors()[0] ?? cluster.primary();
      await (how === "killed" ? node.kill() : node.freeze());
      await pause(forMs);
      await operator.worksAgain();
      if (how === "frozen") await node.thaw();
    },
  };
};
