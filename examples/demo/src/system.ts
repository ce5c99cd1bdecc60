import type { FailoverPool } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import type { DatabaseName, MirroredName } from "./options.ts";
import type { Shop } from "./shop.ts";

/** A database system, and how each client is configured for it. What the clients do is the same on all. */
export interface System {
  readonly title: string;
  /** Where the servers' programs come from. */
  readonly origin: string;
  /** The tables of all clients, each in a schema of its own, and the commit ledger's: what migrations do before an application starts. */
  migrate(cluster: LabCluster, schemas: readonly string[]): Promise<void>;
  /** A pool for the client whose tables are in the schema. */
  openPool(cluster: LabCluster, schema: string, exactlyOnce: boolean): FailoverPool;
  /** The library that applications use by itself, with its own pool on one address. */
  openPlain(url: string, schema: string): Promise<Shop>;
  /** Each library is loaded only here. */
  readonly open: Readonly<Record<MirroredName, (pool: FailoverPool, schema: string) => Promise<Shop>>>;
}

/** Loads what is needed for one system only. */
export async function systemOf(database: DatabaseName): Promise<System> {
  if (database === "postgres") return (await import("./systems/postgres.ts")).onPostgres;
  return (await import("./systems/mysql.ts")).onMysql(database);
}
