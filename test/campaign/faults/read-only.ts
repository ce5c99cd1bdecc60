import { STEPS } from "../workload/transfer.ts";
import type { DrawFault } from "./fault.ts";
import { harmBefore } from "./victim.ts";

/** The primary is switched to read-only in the middle of a transaction: it is switched back, or a mirror takes over. */
export const drawReadOnly: DrawFault = (random) => {
  const step = random.pick(STEPS);
  const end = random.pick(["switched back", "a mirror promoted", "a mirror promoted, then switched back"] as const);
  return {
    name: `read-only at ${step}, ${end}`,
    async play(scene) {
      const { cluster, operator } = scene;
      const former = cluster.primary();
      const victim = await harmBefore(scene, step, () => former.readOnly(true));
      await operator.untilGivenUp(former);
      if (end === "switched back") await former.readOnly(false);
      else await operator.failOver();
      if (end === "a mirror promoted, then switched back") await operator.letLoose(former);
      await victim.ended;
    },
  };
};
