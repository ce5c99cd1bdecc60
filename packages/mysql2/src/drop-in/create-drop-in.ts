import mysql from "mysql2";
import promises from "mysql2/promise";
import { type BaseConnection, type BasePool, type ConnectionConfig, classes } from "./internals.ts";
import type { DropInClusterConfig, DropInConnectionConfig, DropInPoolConfig, Given } from "./options.ts";
import { readGiven, resolveSource, type SharedSource } from "./source.ts";
import { VirtualPoolCluster } from "./virtual-cluster.ts";
import { inertConfig, SingleConnection } from "./virtual-connection.ts";
import { VirtualPool } from "./virtual-pool.ts";

/** As `mysql2` makes them, on a failover pool. */
interface Factories {
  createConnection(config: DropInConnectionConfig | string): mysql.Connection;
  createPool(config: DropInPoolConfig | string): mysql.Pool;
  createPoolCluster(config?: DropInClusterConfig): mysql.PoolCluster;
}

/** As `mysql2/promise` makes them, on a failover pool. */
interface PromiseFactories {
  createConnection(config: DropInConnectionConfig | string): Promise<promises.Connection>;
  createPool(config: DropInPoolConfig | string): promises.Pool;
  createPoolCluster(config?: DropInClusterConfig): promises.PoolCluster;
}

/** Everything that `mysql2/promise` exports, on a failover pool. */
export interface PromiseDropIn extends Omit<typeof promises, keyof PromiseFactories>, PromiseFactories {}

/** Everything that `mysql2` exports, with pools and connections on a failover pool. */
export interface DropIn extends Omit<typeof mysql, keyof Factories>, Factories {
  readonly connect: Factories["createConnection"];
  readonly createConnectionPromise: PromiseFactories["createConnection"];
  readonly createPoolPromise: PromiseFactories["createPool"];
  readonly createPoolClusterPromise: PromiseFactories["createPoolCluster"];
  /** What stands in for `mysql2/promise`. */
  readonly promises: PromiseDropIn;
}

export interface DropInOptions {
  /**
   * The failover pool that everything made by this module uses, unless its own options name one. What a library says of hosts and
   * logins is not used then. A function is asked for the pool each time. Without it each makes its own from `mysql2`'s options.
   */
  readonly mirrorpool?: SharedSource;
}

/**
 * A stand-in for the module `mysql2`, for libraries that take it as an option.
 * @example new Sequelize({ dialect: "mysql", dialectModule: createDropIn({ mirrorpool: pool }) })
 */
export function createDropIn({ mirrorpool }: DropInOptions = {}): DropIn {
  const createConnection = (config: unknown): BaseConnection => connectionOf(readGiven(config), mirrorpool);
  const createPool = (config: unknown): VirtualPool => {
    const given = readGiven(config);
    return new VirtualPool(given, resolveSource(given, mirrorpool));
  };
  const createPoolCluster = (config?: unknown): VirtualPoolCluster => new VirtualPoolCluster(config, mirrorpool);
  const promiseFactories = {
    createConnection: async (config: unknown) => {
      const connection = createConnection(config);
      const connected = new Promise<void>((resolve, reject) => {
        connection.connect((error) => (error ? reject(error) : resolve()));
      });
      await connected.catch((error: unknown) => {
        connection.destroy();
        throw error;
      });
      return connection.promise(promiseOf(config));
    },
    createPool: (config: unknown) => (createPool(config) as BasePool).promise(promiseOf(config)),
    createPoolCluster: (config?: unknown) => promiseCluster(createPoolCluster(config), promiseOf(config)),
  } as unknown as PromiseFactories; // of `mysql2`'s own classes
  const factories = { createConnection, createPool, createPoolCluster } as unknown as Factories; // the same
  return {
    ...mysql,
    ...factories,
    connect: factories.createConnection,
    createConnectionPromise: promiseFactories.createConnection,
    createPoolPromise: promiseFactories.createPool,
    createPoolClusterPromise: promiseFactories.createPoolCluster,
    promises: { ...promises, ...promiseFactories },
  };
}

function connectionOf(given: Given, shared: SharedSource | undefined): BaseConnection {
  const source = resolveSource(given, shared);
  const { mirrorpool: _, consistency: __, ...own } = given;
  const config: ConnectionConfig = new classes.ConnectionConfig({ ...source.shown, ...own });
  const connection = new SingleConnection(source, inertConfig(config));
  connection.conversation.session.lend();
  // `mysql2` connects at once, and tells who listens
  connection.connect((error) => {
    if (!error) connection.emit("connect", {});
    else if (connection.listenerCount("error") > 0) connection.emit("error", error);
  });
  return connection;
}

const promiseOf = (config: unknown): PromiseConstructor | undefined =>
  (config as { readonly Promise?: PromiseConstructor } | undefined)?.Promise;

/** `mysql2` does not export the class. */
function promiseCluster(cluster: VirtualPoolCluster, implementation: PromiseConstructor | undefined): unknown {
  const made: object = promises.createPoolCluster();
  const PromiseCluster = made.constructor as new (cluster: object, implementation: unknown) => object;
  return new PromiseCluster(cluster, implementation);
}
