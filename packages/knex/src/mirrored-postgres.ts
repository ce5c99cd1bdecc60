import { TransactionAbortedError } from "@mirrorpool/core";
import { createVirtualClient, postgres, type VirtualClient } from "@mirrorpool/pg";
import type { Knex } from "knex";
import { type KnexClient, mirroredClient, type SentQuery, type System } from "./mirrored-client.ts";
import type { KnexPoolSource } from "./options.ts";
import { searchPathOption } from "./search-path.ts";

interface PostgresClient extends KnexClient {
  setSchemaSearchPath(connection: VirtualClient): Promise<unknown>;
}

/**
 * Knex's client for PostgreSQL on a mirrored database: reads on mirrors, everything else on the primary.
 * @param source what `createPool` of `@mirrorpool/core` takes: the pool is then closed by `knex.destroy()`; or an existing
 * pool, which stays open
 * @throws {OptionsError} from `knex()`, for what in Knex's configuration cannot be kept
 * @example knex({ client: mirroredPostgres({ nodes: ["postgres://…", "postgres://…"] }) })
 */
export function mirroredPostgres(source: KnexPoolSource): typeof Knex.Client {
  return mirroredClient(source, system);
}

const system: System<VirtualClient, PostgresClient> = {
  client: "pg",
  driver: ({ searchPath }) => postgres(searchPathOption(searchPath)),
  connect: async (pool, client, isOwnDriver) => {
    const connection = createVirtualClient(pool);
    // our own driver gives it to each connection at login
    if (!isOwnDriver) await client.setSchemaSearchPath(connection);
    return connection;
  },
  database: undefined,
  isUsable: (connection) => connection._queryable,
  lend: (connection) => connection.lend(),
  unbind: (connection, how) => void connection.unbind(how),
  interrupt: (connection, reason) => connection.interrupt(reason),
  check: checkCommit,
};

/** Knex does not look at what a COMMIT was answered with. @throws {TransactionAbortedError} when that is a rollback */
function checkCommit(query: SentQuery): SentQuery {
  const { command } = (query.response ?? {}) as { readonly command?: string };
  if (command === "ROLLBACK" && /^\s*(commit|end)\b/i.test(query.sql)) throw new TransactionAbortedError();
  return query;
}
