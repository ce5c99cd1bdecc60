/** TypeORM on a mirrored MariaDB or MySQL. */
import type { MirrorpoolOption } from "@mirrorpool/mysql2";
import { type MysqlOptions, readOptions } from "./mysql-options.ts";
import { createMysqlSides } from "./mysql-sides.ts";

export type { MysqlOptions } from "./mysql-options.ts";

/**
 * TypeORM's options for MariaDB and MySQL, with the data source on a mirrored database: what TypeORM reads by its query builder
 * goes to mirrors, everything else to the primary. A plain object: also for NestJS's `TypeOrmModule.forRoot()`.
 * @param options TypeORM's own; where the nodes are may stay there, in `replication` or in `url` and `host`
 * @param source what `createPool` of `@mirrorpool/core` takes: the pool is then opened by `initialize()` and closed by
 * `destroy()`; or an existing pool, which stays open
 * @throws {OptionsError} for what cannot be honoured; for some of it by `initialize()`
 * @example new DataSource(mirroredMysql({ type: "mariadb", entities }, { nodes: ["mysql://…", "mysql://…"] }))
 */
export function mirroredMysql<O extends MysqlOptions>(options: O, source?: MirrorpoolOption): O {
  const { kept, open } = readOptions(options, source);
  const { defaultMode } = options.replication ?? {};
  const mirrored = {
    ...kept,
    driver: createMysqlSides(open),
    // TypeORM's replication, and not routing by SQL alone: before it writes, `save()` reads on its master
    replication: { master: {}, slaves: [{}], ...(defaultMode === undefined ? {} : { defaultMode }) },
  };
  return mirrored as unknown as O; // what is missing is optional
}
