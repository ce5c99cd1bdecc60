import { type PoolSource, takePool } from "@mirrorpool/core";
import { type Dialect, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from "kysely";
import { createDriver } from "./driver.ts";

/**
 * Kysely's PostgreSQL dialect on a mirrored database: reads on mirrors, everything else on the primary.
 * @param source what `createPool` of `@mirrorpool/core` takes: the pool is then closed by `db.destroy()`; or an existing
 * pool, which stays open
 * @example new Kysely<Database>({ dialect: mirroredPostgres({ driver: postgres(), nodes: ["postgres://…", "postgres://…"] }) })
 */
export function mirroredPostgres(source: PoolSource): Dialect {
  return {
    createDriver: () => createDriver(() => takePool(source)),
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
  };
}
