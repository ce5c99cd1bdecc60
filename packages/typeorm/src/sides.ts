import { type PoolInUse, TransactionAbortedError } from "@mirrorpool/core";
import { createDropIn, type DropIn, type DropInPoolConfig } from "@mirrorpool/pg";
import type pg from "pg";
import { SharedPool } from "./shared-pool.ts";

/** Idle virtual clients that no timer is kept for: each costs some hundred bytes, a timer would be set with each statement. */
const KEPT = 100;

/** TypeORM makes a pool for its master and one for each slave, and says only by their options which is which. */
export const MASTER = { host: "the primary" } as const;
export const SLAVE = { host: "the mirrors" } as const;

type Callback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

/**
 * What TypeORM takes for the module `pg`: pools of virtual clients, all on one failover pool. On the master's the primary
 * answers everything; on the slaves' reads go where the failover pool sends them, and writes to the primary.
 * @param open opens the failover pool: for the first of these pools, and again after all of them were closed
 */
export function createSides(open: () => PoolInUse): DropIn {
  const shared = new SharedPool(open);
  const module = createDropIn({ mirrorpool: () => shared.pool });
  class Pool extends module.Pool {
    #isReady = false;
    #isEnded = false;

    constructor(config: DropInPoolConfig = {}) {
      const consistency = config.host === MASTER.host ? { consistency: "strong" as const } : {};
      // virtual clients cost nothing: connections are waited for in the failover pool, with a bound and a deadline
      super({ min: KEPT, ...config, ...consistency, max: Number.POSITIVE_INFINITY });
      shared.enter();
      this.on("connect", checkCommits);
    }

    /** TypeORM connects once when it is initialized; where that fails it never ends the pool. */
    override connect(callback?: Callback): never {
      if (this.#isReady || callback === undefined) return super.connect(callback as Callback) as never;
      const { connectionTimeoutMillis: timeoutMs } = this.options;
      const limit = timeoutMs === undefined || timeoutMs === 0 ? {} : { timeoutMs };
      shared.pool.start({ until: "writable", ...limit }).then(
        () => {
          this.#isReady = true;
          super.connect(callback);
        },
        (error: Error) => this.#end().then(() => callback(error, undefined, () => {})),
      );
      return undefined as never; // typed by `pg`'s overloads
    }

    override end(callback?: (error?: unknown) => void): never {
      const ended = this.#end();
      if (callback === undefined) return ended as never; // typed by `pg`'s overloads
      ended.then(() => callback(), callback);
      return undefined as never;
    }

    async #end(): Promise<void> {
      const ended: Promise<void> = super.end();
      await ended;
      if (this.#isEnded) return;
      this.#isEnded = true;
      await shared.leave();
    }
  }
  return { ...module, Pool: Pool as DropIn["Pool"] };
}

/** PostgreSQL answers COMMIT with ROLLBACK where a statement has failed before; TypeORM takes any answer for a success. */
function checkCommits(client: pg.PoolClient): void {
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  const checked = (...given: unknown[]): unknown => {
    const answer = query(...given);
    return given[0] === "COMMIT" && answer instanceof Promise ? answer.then(refuseRollback) : answer;
  };
  Object.assign(client, { query: checked });
}

function refuseRollback(result: pg.QueryResult): pg.QueryResult {
  if (result.command === "ROLLBACK") throw new TransactionAbortedError();
  return result;
}
