import { createVirtualConnection, mysql, type VirtualConnection } from "@mirrorpool/mysql2";
import type { Knex } from "knex";
import { raw } from "mysql2";
import { mirroredClient, type System } from "./mirrored-client.ts";
import type { KnexPoolSource } from "./options.ts";

/**
 * Knex's client for MariaDB and MySQL on a mirrored database: reads on mirrors, everything else on the primary.
 * @param source what `createPool` of `@mirrorpool/core` takes: the pool is then closed by `knex.destroy()`; or an existing
 * pool, which stays open
 * @throws {OptionsError} from `knex()`, for what in Knex's configuration cannot be kept
 * @example knex({ client: mirroredMysql({ nodes: ["mysql://…", "mysql://…"] }) })
 */
export function mirroredMysql(source: KnexPoolSource): typeof Knex.Client {
  return mirroredClient(source, system);
}

const system: System<VirtualConnection> = {
  client: "mysql2",
  driver: () => mysql(),
  connect: async (pool) => createVirtualConnection(pool),
  // Knex asks the catalogue for the tables of this database, by a value of the statement
  database: raw("DATABASE()"),
  isUsable: () => true,
  lend: ({ conversation }) => conversation.session.lend(),
  unbind: ({ conversation }, how) => void conversation.session.unbind(how),
  interrupt: ({ conversation }, reason) => conversation.session.interrupt(reason),
  send: ({ conversation }, query) =>
    conversation.ask(query.sql, query.bindings, query.options, (answer) => {
      query.response = answer;
      return query;
    }),
};
