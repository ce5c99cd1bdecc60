import type { MirrorpoolOption } from "@mirrorpool/pg";
import { type PostgresOptions, readOptions } from "./options.ts";
import { createSides, MASTER, SLAVE } from "./sides.ts";

/**
 * TypeORM's options for PostgreSQL, with the data source on a mirrored database: what TypeORM reads by its query builder goes to
 * mirrors, everything else to the primary. A plain object: also for NestJS's `TypeOrmModule.forRoot()`.
 * @param options TypeORM's own; where the nodes are may stay there, in `replication` or in `url` and `host`
 * @param source what `createPool` of `@mirrorpool/core` takes: the pool is then opened by `initialize()` and closed by
 * `destroy()`; or an existing pool, which stays open
 * @throws {OptionsError} for what cannot be honoured; for some of it by `initialize()`
 * @example new DataSource(mirroredPostgres({ type: "postgres", entities }, { nodes: ["postgres://…", "postgres://…"] }))
 */
export function mirroredPostgres<O extends PostgresOptions>(options: O, source?: MirrorpoolOption): O {
  const { kept, open } = readOptions(options, source);
  const { defaultMode } = options.replication ?? {};
  const mirrored: PostgresOptions = {
    ...kept,
    driver: createSides(open),
    // TypeORM's replication, and not routing by SQL alone: before it writes, `save()` reads on its master
    replication: { master: MASTER, slaves: [SLAVE], ...(defaultMode === undefined ? {} : { defaultMode }) },
  };
  return mirrored as O; // what is missing is optional
}
