import { STEPS } from "../workload/transfer.ts";
import type { DrawFault } from "./fault.ts";
import { harmBefore } from "./victim.ts";

/** The network swallows one direction from a step of a transaction on, until it heals or a mirror has taken over. */
export const drawHalfOpen: DrawFault = (random) => {
  const direction = random.pick(["up", "down"] as const);
  const step = random.pick(STEPS);
  const end = random.pick(["healed", "a mirror promoted", "a mirror promoted, then healed"] as const);
  return {
    name: `half-open ${direction} at ${step}, ${end}`,
    async play(scene) {
      const { cluster, operator } = scene;
      const former = cluster.primary();
      const victim = await harmBefore(scene, step, () => former.proxy.halfOpen(direction));
      if (end === "healed") {
        await operator.untilGivenUp(former);
        await former.proxy.heal();
      } else {
        await operator.failOver();
      }
      if (end === "a mirror promoted, then healed") await operator.letLoose(former);
      await victim.ended;
    },
  };
};
