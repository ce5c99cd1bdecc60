import type { LabNode } from "@mirrorpool/lab";
import { until } from "../failover/support/until.ts";
import type { Database } from "./database.ts";

/** The node on which a statement of the application is held. */
export function whereHeld(database: Database, nodes: readonly LabNode[]): Promise<LabNode> {
  return until("a statement to be held", async () => {
    for (const node of nodes) {
      const [row] = await node.query<{ count: number | string }>(database.held);
      if (Number(row?.count ?? 0) > 0) return node;
    }
    return undefined;
  });
}
