import { quietCluster, serverOf } from "../lab.ts";
import { callers } from "../scale/callers.ts";
import { memory } from "../scale/memory.ts";
import { nodes } from "../scale/nodes.ts";
import { pools } from "../scale/pools.ts";
import { growthFigures } from "../scale/scale.ts";
import type { OpenSuite, Suite } from "../suite.ts";
import type { System } from "../systems/system.ts";

async function open(system: System): Promise<OpenSuite> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(await quietCluster(system));
  const server = await serverOf(cluster, system);
  const opened = stack.move();
  return {
    cells: [],
    server,
    async findings(note) {
      const scales = [await callers(cluster, note), await nodes(note), await memory(cluster, note), await pools(note)];
      return { tables: scales.map(({ table }) => table), figures: scales.flatMap(growthFigures) };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** How costs grow with callers, nodes, pools, connections and transactions. */
export const scale: Suite = {
  name: "scale",
  title: "how costs grow with callers, nodes, pools, connections and transactions",
  pace: "steady",
  targets: () => [],
  open,
};
