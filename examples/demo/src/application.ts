import { createPool, type FailoverPool } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import { clients } from "./clients.ts";
import { History } from "./history.ts";
import type { ClientName } from "./options.ts";
import type { Shop } from "./shop.ts";
import { tables } from "./shop.ts";

/** Where the database is. */
export interface Place {
  readonly nodes: readonly { readonly name: string; readonly url: string }[];
  /** One address that follows the primary. */
  readonly virtualUrl: string;
}

/** One client's application: a shop on a schema of its own, and what happened to it. */
export interface Application {
  readonly client: ClientName;
  readonly schema: string;
  readonly shop: Shop;
  readonly history: History;
  /** Undefined on plain `pg`. */
  readonly pool: FailoverPool | undefined;
  close(): Promise<void>;
}

const schemaOf = (client: ClientName): string => `shop_${client.replaceAll(/\W/g, "_").toLowerCase()}`;

/** The tables of all clients, and the commit ledger's: what migrations do before an application starts. */
export async function migrate({ nodes }: Place, names: readonly ClientName[]): Promise<void> {
  await using pool = createPool({ driver: postgres(), nodes });
  await pool.query(pool.ledgerSchema());
  for (const name of names) await pool.query(tables(schemaOf(name)));
}

/** Each has connections of its own, as if it were the only one. */
export async function openApplication(client: ClientName, place: Place, now: () => number): Promise<Application> {
  const schema = schemaOf(client);
  const history = new History(now);
  const kind = clients[client];
  if (kind.kind === "plain") {
    const shop = await kind.open(place.virtualUrl, schema);
    return { client, schema, shop, history, pool: undefined, close: () => shop.close() };
  }
  const pool = createPool({
    driver: postgres({ options: `-c search_path=${schema}` }),
    nodes: place.nodes,
    exactlyOnce: kind.exactlyOnce,
  });
  const shop = await kind.open(pool, schema);
  const close = async (): Promise<void> => {
    await shop.close();
    await pool.close();
  };
  return { client, schema, shop, history, pool, close };
}
