import type { LabNode } from "@mirrorpool/lab";
import pg from "pg";
import { until } from "../failover/support/until.ts";

/** Holds statements under way, by a lock of the lab's own session: who waits for it is seen, and is in flight for certain. */
export interface Gate {
  /** Lets them go. Idempotent; a killed server has let go already. */
  open(): Promise<void>;
}

/** Holds the orders of the schema's triggers, on this server only: a new primary has no gate. */
export function shutGate(node: LabNode): Promise<Gate> {
  return hold(node, "SELECT pg_advisory_lock(1)");
}

/** Holds all reads of `orders`: such a lock travels with the WAL. Resolves when all mirrors have it. */
export async function lockOrders(primary: LabNode, mirrors: readonly LabNode[]): Promise<Gate> {
  const gate = await hold(primary, "BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SELECT pg_switch_wal()");
  for (const mirror of mirrors) {
    await until("the lock to arrive", async () => {
      const sql = "SELECT FROM pg_locks WHERE relation = 'orders'::regclass AND mode = 'AccessExclusiveLock'";
      return (await mirror.query(sql)).length > 0;
    });
  }
  return gate;
}

async function hold(node: LabNode, sql: string): Promise<Gate> {
  const client = new pg.Client({ connectionString: node.adminUrl });
  client.on("error", () => {}); // the server may be killed under it
  await client.connect();
  await client.query(sql);
  return { open: () => client.end().catch(() => {}) };
}

/** The node on which a statement of the application waits for a lock. */
export function whereWaiting(nodes: readonly LabNode[]): Promise<LabNode> {
  return until("a statement to be held", async () => {
    for (const node of nodes) {
      const [row] = await node.query<{ count: number }>(
        "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'app' AND wait_event_type = 'Lock'",
      );
      if ((row?.count ?? 0) > 0) return node;
    }
    return undefined;
  });
}
