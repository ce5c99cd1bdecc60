import type { DrawFault } from "./fault.ts";
import { harmBefore } from "./victim.ts";

/**
 * The primary dies with a COMMIT in doubt; a mirror takes over, and dies while it is asked what became of that; the last mirror
 * takes over. The second primary answers no commit, so that the question to it is under way for certain.
 */
export const drawDoubleFailover: DrawFault = (random) => {
  const direction = random.pick(["up", "down"] as const);
  const end = random.pick(["killed", "frozen"] as const);
  return {
    name: `double failover, COMMIT half-open ${direction}, the second primary ${end}`,
    async play(scene) {
      const { cluster, operator, system } = scene;
      const first = cluster.primary();
      const before = first.proxy.stats.swallowedBytes[direction];
      const victim = await harmBefore(scene, "COMMIT", () => first.proxy.halfOpen(direction));
      const isGone = (): boolean => victim.hasEnded() || first.proxy.stats.swallowedBytes[direction] > before;
      await operator.until("the COMMIT to disappear", isGone);
      await first.kill();
      const second = await cluster.mostAdvancedMirror();
      await system.promoteMute(cluster, second, () => operator.failOver());
      // where it writes nothing, because the COMMIT has arrived, it need not wait
      const isAsked = async () => victim.hasEnded() || (await system.isAsked(second));
      await operator.until("the question to wait on the new primary", isAsked);
      await (end === "killed" ? second.kill() : second.freeze());
      await operator.failOver();
      await operator.mend();
      await victim.ended;
    },
  };
};
