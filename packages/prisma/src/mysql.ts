/** Prisma on a mirrored MariaDB or MySQL. */
import { type Driver, type FailoverPool, type PoolOptions, takePool } from "@mirrorpool/core";
import { mysql } from "@mirrorpool/mysql2";
import { PrismaMariaDb } from "@prisma/adapter-mariadb";
import { mysqlPoolMethods } from "./mysql-pool-methods.ts";
import { needTypedValues } from "./typed-value.ts";

/** What `createPool` of `@mirrorpool/core` takes. */
export type OwnPoolOptions = Omit<PoolOptions, "driver"> & {
  /** Default: `mysql()` of `@mirrorpool/mysql2`. */
  readonly driver?: Driver;
};

/** What `PrismaMariaDb` takes as its second argument; the pool itself is not its business. */
export type AdapterOptions = Omit<NonNullable<ConstructorParameters<typeof PrismaMariaDb>[1]>, "disposeExternalPool">;

/** What `new PrismaClient({ adapter })` takes. */
export type AdapterFactory = Pick<PrismaMariaDb, "provider" | "adapterName" | "connect">;

type ExternalPool = ConstructorParameters<typeof PrismaMariaDb>[0];

/**
 * Prisma's driver adapter for MariaDB and MySQL on a mirrored database: reads on mirrors, everything else on the primary.
 * @param source the options of a pool: `$disconnect()` closes it, and `$connect()` makes a new one; or an existing pool, which
 * stays open
 * @param options as for `PrismaMariaDb`
 * @example new PrismaClient({ adapter: mirroredMysql({ nodes: ["mysql://…", "mysql://…"] }) })
 */
export function mirroredMysql(source: FailoverPool | OwnPoolOptions, options?: AdapterOptions): AdapterFactory {
  needTypedValues();
  return {
    provider: "mysql",
    adapterName: "@mirrorpool/prisma",
    connect: async () => {
      const taken = takePool("transaction" in source ? source : { ...source, driver: source.driver ?? mysql() });
      // `PrismaMariaDb` knows a pool by its methods
      const methods = mysqlPoolMethods(taken) as unknown as ExternalPool;
      const adapter = new PrismaMariaDb(methods, { ...options, disposeExternalPool: true });
      return adapter.connect();
    },
  };
}
