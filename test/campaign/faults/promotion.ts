import { STEPS } from "../workload/transfer.ts";
import type { DrawFault } from "./fault.ts";
import { harmBefore } from "./victim.ts";

/** A mirror is promoted while a transaction is open: beside the former primary, which is alive, or in good order. */
export const drawPromotion: DrawFault = (random) => {
  const step = random.pick(STEPS.slice(1));
  const how = random.pick(["the former primary alive", "the former primary let loose", "handed over"] as const);
  return {
    name: `promotion at ${step}, ${how}`,
    async play(scene) {
      const { cluster, operator } = scene;
      const former = cluster.primary();
      // a hand-over needs a mirror that has been streaming for a moment
      if (how === "handed over") await cluster.caughtUp();
      const victim = await harmBefore(scene, step, async () => {
        if (how === "handed over") await operator.handOver();
        else await operator.failOver();
      });
      if (how === "the former primary let loose") await operator.letLoose(former);
      await victim.ended;
    },
  };
};
