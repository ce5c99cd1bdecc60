import type { PoolInUse } from "@mirrorpool/core";
import { TransactionAbortedError } from "@mirrorpool/core";
import type { DatabaseConnection, Driver, PostgresCursorConstructor } from "kysely";
import { MirroredConnection } from "./connection.ts";
import { Returned } from "./returned.ts";

/** By this Kysely's `isAbortedTransactionError` (since 0.29) knows that the transaction is over: it sends no ROLLBACK then. */
const ABORTED = Symbol.for("kysely.AbortedTransactionError");

/**
 * Kysely's driver on a failover pool. Transactions are ordinary statements of one session, so that the pool sees where they
 * begin and end: it records them, replays them, and settles their COMMIT.
 */
export function createDriver({ pool, release }: PoolInUse, cursor: PostgresCursorConstructor | undefined): Driver {
  const run = async (connection: DatabaseConnection, sql: string): Promise<string> =>
    (connection as MirroredConnection).command(sql); // all connections are ours

  const returned = new Returned<MirroredConnection>();

  return {
    init: async () => {},
    acquireConnection: async (options) => {
      const signal = options?.signal;
      const kept = signal?.aborted === true ? undefined : returned.take();
      return kept ?? new MirroredConnection(await pool.connect(signal === undefined ? {} : { signal }), cursor);
    },
    beginTransaction: async (connection, { isolationLevel, accessMode }) => {
      const modes = [isolationLevel === undefined ? undefined : `isolation level ${isolationLevel}`, accessMode];
      await run(connection, ["start transaction", ...modes.filter((mode) => mode !== undefined)].join(" "));
    },
    commitTransaction: async (connection) => {
      if ((await run(connection, "commit")) !== "ROLLBACK") return;
      throw Object.defineProperty(new TransactionAbortedError(), ABORTED, { value: true });
    },
    rollbackTransaction: async (connection) => void (await run(connection, "rollback")),
    savepoint: async (connection, name) => void (await run(connection, `savepoint ${quote(name)}`)),
    rollbackToSavepoint: async (connection, name) => void (await run(connection, `rollback to ${quote(name)}`)),
    releaseSavepoint: async (connection, name) => void (await run(connection, `release ${quote(name)}`)),
    releaseConnection: async (connection) => returned.giveBack(connection as MirroredConnection),
    destroy: release,
  };
}

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
