import { createPool, type FailoverPool } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import type { Client } from "./client.ts";

/** The application on mirrorpool: all addresses, and the library's defaults; with the commit ledger if so asked. */
export async function createMirrorpoolClient(
  nodes: readonly { readonly name: string; readonly url: string }[],
  exactlyOnce: boolean,
): Promise<Client> {
  const addresses = nodes.map(({ name, url }) => ({ name, url }));
  if (exactlyOnce) await makeLedger(createPool({ driver: postgres(), nodes: addresses }));
  const pool = createPool({ driver: postgres(), nodes: addresses, exactlyOnce });
  return {
    query: (text, values) => pool.query(text, values),
    transaction: (work) => pool.transaction((tx) => work((text, values) => tx.query(text, values)), { retries: 5 }),
    switchover: (to, promote) => pool.switchover({ to, promote }),
    close: () => pool.close(),
  };
}

/** The ledger's table: an application makes it once, by a migration. */
async function makeLedger(pool: FailoverPool): Promise<void> {
  try {
    await pool.query(pool.ledgerSchema());
  } finally {
    await pool.close();
  }
}
