import type { PoolInUse } from "@mirrorpool/core";
import { createDropIn, type DropIn } from "@mirrorpool/mysql2";
import { SharedPool } from "./shared-pool.ts";

type Cluster = ReturnType<DropIn["createPoolCluster"]>;
type Callback = (error?: unknown, connection?: unknown) => void;

/** What of the cluster TypeORM calls. */
interface Calls {
  add(id: string, config: object): void;
  getConnection(pattern: string, callback: Callback): void;
  end(callback: Callback): void;
}

/**
 * What TypeORM takes for the module `mysql2`: a cluster of pools of virtual connections, all on one failover pool. As `MASTER` the
 * primary answers everything; as a slave reads go where the failover pool sends them, and writes to the primary.
 * @param open opens the failover pool: for the first cluster, and again after all of them were closed
 */
export function createMysqlSides(open: () => PoolInUse): DropIn {
  const shared = new SharedPool(open);
  const module = createDropIn({ mirrorpool: () => shared.pool });
  return { ...module, createPoolCluster: (config) => guard(module.createPoolCluster(config), shared) };
}

function guard(cluster: Cluster, shared: SharedPool): Cluster {
  const original = cluster as unknown as Calls; // the forms of the calls that TypeORM makes
  const add = original.add.bind(cluster);
  const getConnection = original.getConnection.bind(cluster);
  const endCluster = original.end.bind(cluster);
  let isReady = false;
  let isEnded = false;
  shared.enter();
  const end = async (): Promise<void> => {
    if (isEnded) return;
    isEnded = true;
    await new Promise<void>((resolve) => endCluster(() => resolve()));
    await shared.leave();
  };
  const calls: Calls = {
    // virtual connections cost nothing: real ones are waited for in the failover pool, with a bound and a deadline
    add: (id, config) => add(id, { ...config, connectionLimit: 0 }),
    // TypeORM connects when it is initialized; where that fails it never ends the cluster
    getConnection: (pattern, callback) => {
      if (isReady) return getConnection(pattern, callback);
      shared.pool.start({ until: "writable" }).then(
        () => {
          isReady = true;
          getConnection(pattern, callback);
        },
        (error: unknown) => end().then(() => callback(error)),
      );
    },
    end: (callback) => void end().then(() => callback(), callback),
  };
  return Object.assign(cluster, calls);
}
