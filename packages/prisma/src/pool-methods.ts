import { EventEmitter } from "node:events";
import {
  type FailoverPool,
  type PoolInUse,
  type PoolSession,
  type Result,
  type Statement,
  TransactionAbortedError,
} from "@mirrorpool/core";
import { toDriverAdapterError } from "./driver-adapter-error.ts";

/** A query as `PrismaPg` gives it to `pg`: its fields are those of the driver's statements. */
type Query = string | Statement;

/** What `PrismaPg` asks of a client that it has checked out. */
interface Client extends EventEmitter {
  query(query: Query): Promise<Result>;
  release(): void;
}

/** What `PrismaPg` asks of a `pg.Pool`. */
interface PoolMethods {
  query(query: Query): Promise<Result>;
  connect(): Promise<Client>;
  end(): Promise<void>;
}

/**
 * `pg.Pool`, as far as `PrismaPg` uses it, on a failover pool: a statement of its own is one of the pool, a client is a
 * session. Transactions are ordinary statements of a session, so that the pool sees where they begin and end: it records
 * them, replays them, and settles their COMMIT.
 */
export function poolMethods({ pool, release }: PoolInUse): PoolMethods {
  return {
    query: (query) => run(pool, query),
    connect: async () => clientOf(await pool.connect().catch(rethrow)),
    end: release,
  };
}

function clientOf(session: PoolSession): Client {
  const client = new EventEmitter();
  // `PrismaPg` listens for `onConnectionError`, but not to the end: unheard, an error event would throw
  client.on("error", () => {});
  session.onLost((error) => client.emit("error", error));
  return Object.assign(client, {
    query: (query: Query) => run(session, query),
    release: () => session.release(),
  });
}

function run(target: Pick<FailoverPool, "query">, query: Query): Promise<Result> {
  const running = target.query(query);
  const isCommit = (typeof query === "string" ? query : query.text) === "COMMIT"; // as Prisma writes it
  return isCommit ? running.then(refuseRollback, rethrow) : running.catch(rethrow);
}

/** Prisma looks at the count alone, and would take it for a success. */
function refuseRollback(result: Result): Result {
  if (result.command === "ROLLBACK") throw new TransactionAbortedError();
  return result;
}

function rethrow(error: unknown): never {
  throw toDriverAdapterError(error);
}
