import { type PoolSource, takePool } from "@mirrorpool/core";
import {
  type Dialect,
  PostgresAdapter,
  type PostgresCursorConstructor,
  PostgresIntrospector,
  PostgresQueryCompiler,
} from "kysely";
import { createDriver } from "./driver.ts";

export interface MirroredPostgresOptions {
  /** The class of the package pg-cursor, for `stream()`; as in Kysely's own dialect. */
  readonly cursor?: PostgresCursorConstructor;
}

/**
 * Kysely's PostgreSQL dialect on a mirrored database: reads on mirrors, everything else on the primary.
 * @param source what `createPool` of `@mirrorpool/core` takes: the pool is then closed by `db.destroy()`; or an existing
 * pool, which stays open
 * @throws {OptionsError} by `new Kysely()`
 * @example new Kysely<Database>({ dialect: mirroredPostgres({ driver: postgres(), nodes: ["postgres://…", "postgres://…"] }) })
 */
export function mirroredPostgres(source: PoolSource, { cursor }: MirroredPostgresOptions = {}): Dialect {
  return {
    createDriver: () => createDriver(takePool(source), cursor),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}
