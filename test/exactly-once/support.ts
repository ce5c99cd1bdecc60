import type { LabCluster } from "@mirrorpool/lab";
import { openPool } from "../failover/support/pool.ts";

/** Makes the commit ledger as the application's own role, which owns the database. */
export async function makeLedger(cluster: LabCluster): Promise<void> {
  await using pool = openPool(cluster, { replay: {} });
  await pool.query(pool.ledgerSchema());
  await cluster.caughtUp();
}
