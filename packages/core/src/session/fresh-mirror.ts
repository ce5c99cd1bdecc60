import type { Call } from "../call.ts";
import type { Demand } from "../routing/route.ts";
import { route } from "../routing/route.ts";
import { isUsable } from "../topology/node.ts";
import type { Topology } from "../topology/topology.ts";
import { until } from "../topology/until.ts";
import type { SessionContext } from "./context.ts";

/**
 * Gives the mirrors a moment to catch up with what the read has to see, before the primary has to answer it. Each news of the
 * cluster is followed by another look: at the primary for a sample, then at the mirrors for how far they have come.
 * @param anew what the read asks for as far as is known now: a token's time is known from the first sample on that covers it
 */
export async function waitForFreshMirror(context: SessionContext, anew: () => Demand, call: Call): Promise<Demand> {
  const { cell, config } = context;
  let demand = anew();
  const isOver = (topology: Topology): boolean => {
    demand = anew();
    const found = route(topology, demand, config.routing);
    if (found.type === "wait" || found.nodes[0] !== topology.primary || !hasMirror(topology)) return true;
    context.suspect();
    return false;
  };
  await until(cell, isOver, call, config.routing.freshWaitMs);
  return demand;
}

function hasMirror({ nodes }: Topology): boolean {
  for (const node of nodes.values()) if (isUsable(node) && node.observation?.role === "mirror") return true;
  return false;
}
