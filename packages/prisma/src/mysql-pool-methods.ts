import { EventEmitter } from "node:events";
import type { FailoverPool, PoolInUse, PoolSession, Result } from "@mirrorpool/core";
import { toDriverAdapterError } from "./driver-adapter-error.ts";
import { toMariadbAnswer } from "./mariadb-answer.ts";
import { toTypedValue } from "./typed-value.ts";

/** A query as `PrismaMariaDb` gives it to the library `mariadb`. */
interface Query {
  readonly sql: string;
}

type Run = (query: Query, values?: readonly unknown[]) => Promise<unknown>;

/** What `PrismaMariaDb` asks of a connection that it has checked out. */
interface Connection extends EventEmitter {
  readonly query: Run;
  readonly execute: Run;
  release(): Promise<void>;
}

/** What `PrismaMariaDb` asks of a pool. */
export interface MysqlPoolMethods {
  readonly query: Run;
  readonly execute: Run;
  getConnection(): Promise<Connection>;
  end(): Promise<void>;
}

/**
 * A pool of the library `mariadb`, as far as `PrismaMariaDb` uses it, on a failover pool whose connections are `mysql2`'s. A statement
 * of its own is one of the pool, a connection is a session. Transactions are ordinary statements of a session, so that the pool
 * sees where they begin and end: it records them, replays them, and settles their COMMIT.
 */
export function mysqlPoolMethods({ pool, release }: PoolInUse): MysqlPoolMethods {
  return {
    query: runOn(pool, false),
    execute: runOn(pool, true),
    getConnection: async () => connectionOf(await pool.connect().catch(rethrow)),
    end: release,
  };
}

function connectionOf(session: PoolSession): Connection {
  const connection = new EventEmitter();
  // unheard, an error event would throw
  connection.on("error", () => {});
  session.onLost((error) => connection.emit("error", error));
  return Object.assign(connection, {
    query: runOn(session, false),
    execute: runOn(session, true),
    release: async () => session.release(),
  });
}

/** How `PrismaMariaDb` wants rows: numbers that are too large, dates and JSON as text. */
const READING = {
  rowsAsArray: true,
  dateStrings: true,
  supportBigNumbers: true,
  bigNumberStrings: true,
  typeCast: (field: Field, next: () => unknown): unknown => {
    if (field.type === "GEOMETRY") return field.buffer();
    if (field.type !== "JSON" && field.extendedFormat !== "json") return next();
    return field.buffer()?.toString("utf8") ?? null;
  },
} as const;

interface Field {
  readonly type: string;
  readonly extendedFormat?: string;
  buffer(): Buffer | null;
}

function runOn(target: Pick<FailoverPool, "query">, isPrepared: boolean): Run {
  return async ({ sql: text }, values = []) => {
    const given = isPrepared ? { values: values.map(toTypedValue), execute: true } : { values };
    const statement = { ...READING, text, ...given };
    const result: Result = await target.query(statement).catch(rethrow);
    return toMariadbAnswer(result);
  };
}

function rethrow(error: unknown): never {
  throw toDriverAdapterError(error);
}
