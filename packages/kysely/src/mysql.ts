/** Kysely on a mirrored MariaDB or MySQL. */
import { type PoolSource, takePool } from "@mirrorpool/core";
import { type Dialect, MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler } from "kysely";
import { createMysqlDriver } from "./mysql-driver.ts";

/**
 * Kysely's dialect for MariaDB and MySQL on a mirrored database: reads on mirrors, everything else on the primary.
 * @param source what `createPool` of `@mirrorpool/core` takes: the pool is then closed by `db.destroy()`; or an existing
 * pool, which stays open
 * @throws {OptionsError} by `new Kysely()`
 * @example new Kysely<Database>({ dialect: mirroredMysql({ driver: mysql(), nodes: ["mysql://…", "mysql://…"] }) })
 */
export function mirroredMysql(source: PoolSource): Dialect {
  return {
    createDriver: () => createMysqlDriver(takePool(source)),
    createQueryCompiler: () => new MysqlQueryCompiler(),
    createAdapter: () => new MysqlAdapter(),
    createIntrospector: (db) => new MysqlIntrospector(db),
  };
}
