import { type Driver, type FailoverPool, type PoolOptions, type PoolSource, takePool } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import { PrismaPg } from "@prisma/adapter-pg";
import { poolMethods } from "./pool-methods.ts";

/** What `createPool` of `@mirrorpool/core` takes. */
export type OwnPoolOptions = Omit<PoolOptions, "driver"> & {
  /** Default: `postgres()` of `@mirrorpool/pg`. */
  readonly driver?: Driver;
};

/** What `PrismaPg` takes as its second argument; the pool itself is not its business. */
export type AdapterOptions = Omit<
  NonNullable<ConstructorParameters<typeof PrismaPg>[1]>,
  "disposeExternalPool" | "onPoolError"
>;

/** What `new PrismaClient({ adapter })` takes. */
export type AdapterFactory = Pick<PrismaPg, "provider" | "adapterName" | "connect">;

/**
 * Prisma's driver adapter for PostgreSQL on a mirrored database: reads on mirrors, everything else on the primary.
 * @param source the options of a pool: `$disconnect()` closes it, and `$connect()` makes a new one; or an existing pool, which
 * stays open
 * @param options as for `PrismaPg`
 * @example new PrismaClient({ adapter: mirroredPostgres({ nodes: ["postgres://…", "postgres://…"] }) })
 */
export function mirroredPostgres(source: FailoverPool | OwnPoolOptions, options?: AdapterOptions): AdapterFactory {
  return {
    provider: "postgres",
    adapterName: "@mirrorpool/prisma",
    connect: async () => {
      const taken = takePool(withDriver(source));
      // begins to look for the nodes, and waits for none: who needs one does, and is told in Prisma's terms
      taken.pool.start().catch(() => {});
      const adapter = await new PrismaPg({}, options).connect();
      // its own `pg.Pool`, of whichever copy of `pg`, has opened nothing and never will
      Object.assign(adapter.underlyingDriver(), poolMethods(taken));
      return adapter;
    },
  };
}

const withDriver = (source: FailoverPool | OwnPoolOptions): PoolSource =>
  "transaction" in source ? source : { ...source, driver: source.driver ?? postgres() };
