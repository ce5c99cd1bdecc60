import { AsyncResource } from "node:async_hooks";
import mysql from "mysql2";
import { type BasePool, type BasePoolConnection, classes, type PoolConfig, type QueryCommand } from "./internals.ts";
import type { Given } from "./options.ts";
import { PromisePool } from "./promise-classes.ts";
import { inertConfig, PooledConnection, type VirtualConnection } from "./virtual-connection.ts";
import type { Source } from "./virtual-session.ts";

type Connected = (error: unknown, connection?: unknown) => void;

/** What a pool hands out. */
type Lent = VirtualConnection & BasePoolConnection;

/** `mysql2`'s own pool, handing out virtual connections; limits, queue and events are its own. */
export class VirtualPool extends classes.Pool {
  readonly #source: Source;
  /** Whoever asks for a connection now, does so for one query. */
  #asksForOne = false;

  constructor(given: Given, source: Source) {
    super({ config: poolConfig({ ...source.shown, ...given }) });
    this.#source = source;
  }

  override getConnection(callback: Connected): void {
    const { length } = this._freeConnections;
    const { connectionLimit } = this.config;
    const isFull = connectionLimit > 0 && this._allConnections.length >= connectionLimit;
    const isForOne = this.#asksForOne;
    if (!this._closed && length === 0 && !isFull) {
      this.#create(callback, isForOne);
      return;
    }
    // who waits would go on in the context of whoever gives a connection back
    const context = length > 0 ? undefined : new AsyncResource("mirrorpool.checkout");
    super.getConnection((error, connection) => {
      (connection as Lent | undefined)?.conversation.session.lend(isForOne);
      if (context === undefined) callback(error, connection);
      else context.runInAsyncScope(callback, undefined, error, connection);
    });
  }

  #create(callback: Connected, isForOne: boolean): void {
    const source = { ...this.#source, isOwned: false };
    const connection: Lent = new PooledConnection(source, this, inertConfig(this.config.connectionConfig));
    this._allConnections.push(connection);
    connection.connect((error) => {
      if (this._closed) return callback(new Error("Pool is closed."));
      if (error) {
        connection.destroy();
        return callback(error);
      }
      this.emit("connection", connection);
      this.emit("acquire", connection);
      connection.conversation.session.lend(isForOne);
      callback(null, connection);
    });
  }

  /** Asks for a connection at once. */
  override query(sql: unknown, values?: unknown, callback?: unknown): QueryCommand {
    this.#asksForOne = true;
    try {
      return super.query(sql, values, callback);
    } finally {
      this.#asksForOne = false;
    }
  }

  override promise(implementation?: PromiseConstructor): PromisePool {
    return new PromisePool(this, implementation);
  }

  override releaseConnection(connection: unknown): void {
    // one that is destroyed ends by itself; what wraps one is not the connection itself
    if (connection instanceof PooledConnection && connection._pool) {
      void connection.conversation.session.unbind("return");
    }
    super.releaseConnection(connection);
  }

  override end(callback?: (error?: unknown) => void): void {
    super.end((error) => {
      const closed = this.#source.isOwned ? this.#source.pool.close() : Promise.resolve();
      void closed.then(() => callback?.(error));
    });
  }
}

/** As `mysql2` completes it. What it makes beside that is ended before it has begun. */
function poolConfig(given: Given): PoolConfig {
  const { mirrorpool: _, consistency: __, ...own } = given;
  const pool = mysql.createPool(own) as unknown as BasePool;
  pool.end();
  const { config } = pool;
  // sessions are as new each time
  config.resetOnRelease = false;
  return config;
}
