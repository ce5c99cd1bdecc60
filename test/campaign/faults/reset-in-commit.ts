import type { DrawFault, Scene } from "./fault.ts";
import { harmBefore } from "./victim.ts";

/** The connections break in the middle of a COMMIT: so many bytes of it arrive, or so many of its answer. */
export const drawResetInCommit: DrawFault = (random, { commitBytes }) => {
  const how = random.pick(["cut", "reset"] as const);
  const direction = random.pick(["up", "down"] as const);
  const bytes = random.integer(0, commitBytes[direction]);
  if (how === "cut") {
    return {
      name: `COMMIT cut after ${bytes} bytes ${direction}`,
      play: (scene) => cut(scene, bytes, direction),
    };
  }
  const lost = direction === "up" ? "before it arrives" : "before its answer arrives";
  return { name: `COMMIT reset ${lost}`, play: (scene) => reset(scene, direction) };
};

async function cut(scene: Scene, bytes: number, direction: "up" | "down"): Promise<void> {
  const { proxy } = scene.cluster.primary();
  const accepted = proxy.stats.connections.accepted;
  const victim = await harmBefore(scene, "COMMIT", () => proxy.cutAfter(bytes, direction));
  const { operator } = scene;
  const isCut = (): boolean => victim.hasEnded() || proxy.stats.connections.accepted > accepted;
  await operator.until("the COMMIT to be cut", isCut);
  await proxy.heal();
  await victim.ended;
}

async function reset(scene: Scene, direction: "up" | "down"): Promise<void> {
  const { proxy } = scene.cluster.primary();
  const before = proxy.stats.swallowedBytes[direction];
  const victim = await harmBefore(scene, "COMMIT", () => proxy.halfOpen(direction));
  const { operator } = scene;
  const isGone = (): boolean => victim.hasEnded() || proxy.stats.swallowedBytes[direction] > before;
  await operator.until("the COMMIT to disappear", isGone);
  proxy.dropConnections();
  await proxy.heal();
  await victim.ended;
}
