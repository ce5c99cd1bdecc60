import type { Driver, FailoverPool, PoolOptions } from "@mirrorpool/core";
import { OptionsError } from "@mirrorpool/core";
import type { Knex } from "knex";

/** What `createPool` of `@mirrorpool/core` takes. */
export type OwnPoolOptions = Omit<PoolOptions, "driver"> & {
  /** Default: `postgres()` of `@mirrorpool/pg`, or `mysql()` of `@mirrorpool/mysql2`. */
  readonly driver?: Driver;
};

/** What Knex works on: a pool that others may use as well, or the options of one of its own. */
export type KnexPoolSource = FailoverPool | OwnPoolOptions;

export const isPool = (source: KnexPoolSource): source is FailoverPool => "transaction" in source;

type Pool = NonNullable<Knex.Config["pool"]>;

/** What Knex's options can mean only for connections: those of a pool that was given are not Knex's to change. */
const OF_CONNECTIONS: readonly (keyof Pool)[] = [
  "min",
  "idleTimeoutMillis",
  "createTimeoutMillis",
  "maxConnectionLifetimeMillis",
];

/** @throws {OptionsError} for what would have no effect, or another one than the application expects */
export function refuseUnfit(source: KnexPoolSource, { pool = {}, ...config }: Knex.Config): void {
  refuse("connection", config.connection, "nothing here: say it in `nodes`");
  refuse("connectionPool", config.connectionPool, "nothing here: give the pool to the mirrored client");
  refuse("pool.validate", pool.validate, "nothing here: the mirrored pool sees to its connections");
  const spread = "nothing here: say it in the source, { pool: { lifetimeJitter } }";
  refuse("pool.maxConnectionLifetimeJitterMillis", pool.maxConnectionLifetimeJitterMillis, spread);
  if (pool.max === 0) throw new OptionsError("pool.max", "1 or more: no connection is opened before it is needed", "0");
  if (!isPool(source)) return;
  const rule = "nothing here: the connections are those of the pool that was given";
  for (const name of OF_CONNECTIONS) refuse(`pool.${name}`, pool[name], rule);
}

function refuse(path: string, value: unknown, rule: string): void {
  // the value may hold a password
  if (value !== undefined && value !== null && value !== 0) throw new OptionsError(path, rule, "a value");
}

/** The options of Knex's own pool: what Knex's configuration says of connections holds where the source does not say it. */
export function ownPoolOptions(
  source: OwnPoolOptions,
  config: Knex.Config,
  driver: (config: Knex.Config) => Driver,
): PoolOptions {
  const { pool = {}, acquireConnectionTimeout } = config;
  const waits = [acquireConnectionTimeout, pool.acquireTimeoutMillis].map(given).filter((wait) => wait !== undefined);
  return {
    ...source,
    driver: source.driver ?? driver(config),
    pool: defined({
      min: pool.min,
      max: pool.max,
      idleMs: given(pool.idleTimeoutMillis),
      lifetimeMs: given(pool.maxConnectionLifetimeMillis),
      ...source.pool,
    }),
    timeouts: defined({
      acquireMs: waits.length === 0 ? undefined : Math.min(...waits),
      connectMs: given(pool.createTimeoutMillis),
      ...source.timeouts,
    }),
  };
}

/** To Knex a time of 0 is none. */
const given = (time: number | undefined): number | undefined => time || undefined;

function defined<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

/** The database of the first node. */
export function databaseOf({ driver, nodes: [first] }: PoolOptions): string | undefined {
  if (first === undefined) return undefined;
  const { url, database } = typeof first === "string" ? { url: first } : first;
  return database ?? (url === undefined ? undefined : driver.parseUrl(url).database);
}
