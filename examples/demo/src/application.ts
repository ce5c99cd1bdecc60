import type { FailoverPool } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { identityOf, isMirrored } from "./clients.ts";
import { History } from "./history.ts";
import type { Identity } from "./judge.ts";
import type { ClientName, DatabaseName } from "./options.ts";
import type { Shop } from "./shop.ts";
import type { System } from "./system.ts";

/** Where the database is. */
export interface Place {
  readonly database: DatabaseName;
  readonly system: System;
  readonly cluster: LabCluster;
  /** One address that follows the primary. */
  readonly virtualUrl: string;
}

/** One client's application: a shop on a schema of its own, and what happened to it. */
export interface Application {
  readonly client: ClientName;
  readonly identity: Identity;
  readonly schema: string;
  readonly shop: Shop;
  readonly history: History;
  /** Undefined on a plain library. */
  readonly pool: FailoverPool | undefined;
  close(): Promise<void>;
}

const schemaOf = (client: ClientName): string => `shop_${client.replaceAll(/\W/g, "_").toLowerCase()}`;

/** The tables of all clients. */
export function migrate({ system, cluster }: Place, names: readonly ClientName[]): Promise<void> {
  return system.migrate(cluster, names.map(schemaOf));
}

/** Each has connections of its own, as if it were the only one. */
export async function openApplication(client: ClientName, place: Place, now: () => number): Promise<Application> {
  const { database, system, cluster, virtualUrl } = place;
  const identity = identityOf(client, database);
  const schema = schemaOf(client);
  const known = { client, identity, schema, history: new History(now) };
  if (!isMirrored(client)) {
    const shop = await system.openPlain(virtualUrl, schema);
    return { ...known, shop, pool: undefined, close: () => shop.close() };
  }
  const pool = system.openPool(cluster, schema, identity.exactlyOnce);
  const shop = await system.open[client](pool, schema);
  const close = async (): Promise<void> => {
    await shop.close();
    await pool.close();
  };
  return { ...known, shop, pool, close };
}
