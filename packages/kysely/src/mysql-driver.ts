import type { PoolInUse } from "@mirrorpool/core";
import type { DatabaseConnection, Driver } from "kysely";
import { MirroredMysqlConnection } from "./mysql-connection.ts";
import { Returned } from "./returned.ts";

/**
 * Kysely's driver on a failover pool. Transactions are ordinary statements of one session, so that the pool sees where they
 * begin and end: it records them, replays them, and settles their COMMIT.
 */
export function createMysqlDriver({ pool, release }: PoolInUse): Driver {
  const run = (connection: DatabaseConnection, sql: string): Promise<void> =>
    (connection as MirroredMysqlConnection).command(sql); // all connections are ours

  const returned = new Returned<MirroredMysqlConnection>();

  return {
    init: async () => {},
    acquireConnection: async (options) => {
      const signal = options?.signal;
      const kept = signal?.aborted === true ? undefined : returned.take();
      return kept ?? new MirroredMysqlConnection(await pool.connect(signal === undefined ? {} : { signal }));
    },
    beginTransaction: async (connection, { isolationLevel, accessMode }) => {
      // for the next transaction alone
      if (isolationLevel !== undefined) await run(connection, `set transaction isolation level ${isolationLevel}`);
      await run(connection, accessMode === undefined ? "start transaction" : `start transaction ${accessMode}`);
    },
    commitTransaction: (connection) => run(connection, "commit"),
    rollbackTransaction: (connection) => run(connection, "rollback"),
    savepoint: (connection, name) => run(connection, `savepoint ${quote(name)}`),
    rollbackToSavepoint: (connection, name) => run(connection, `rollback to ${quote(name)}`),
    releaseSavepoint: (connection, name) => run(connection, `release savepoint ${quote(name)}`),
    releaseConnection: async (connection) => returned.giveBack(connection as MirroredMysqlConnection),
    destroy: release,
  };
}

const quote = (name: string): string => `\`${name.replaceAll("`", "``")}\``;
