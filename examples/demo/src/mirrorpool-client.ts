import { createPool } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import type { Client } from "./client.ts";

/** The application on mirrorpool: all addresses, and the library's defaults. */
export function createMirrorpoolClient(nodes: readonly { readonly name: string; readonly url: string }[]): Client {
  const pool = createPool({ driver: postgres(), nodes: nodes.map(({ name, url }) => ({ name, url })) });
  return {
    query: (text, values) => pool.query(text, values),
    transaction: (work) => pool.transaction((tx) => work((text, values) => tx.query(text, values)), { retries: 5 }),
    switchover: (to, promote) => pool.switchover({ to, promote }),
    close: () => pool.close(),
  };
}
