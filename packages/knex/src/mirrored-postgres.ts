import type { Transform } from "node:stream";
import { createPool, type FailoverPool } from "@mirrorpool/core";
import { createVirtualClient, type VirtualClient } from "@mirrorpool/pg";
import type { Knex } from "knex";
import { checkCommit, knexPostgres, type SentQuery } from "./knex-postgres.ts";
import { databaseOf, isPool, type KnexPoolSource, ownPoolOptions, refuseUnfit } from "./options.ts";

/**
 * Streamed on: Knex gives such a connection back twice, and the second time must not hit somebody else who has it by then.
 * Not a field: in a transaction Knex works with clients that no constructor has made.
 */
const spent = new WeakSet<VirtualClient>();

/**
 * Knex's client for PostgreSQL on a mirrored database: reads on mirrors, everything else on the primary. Knex's own pool
 * hands out virtual connections, which cost nothing; it counts them, and nothing more.
 * @param source what `createPool` of `@mirrorpool/core` takes: the pool is then closed by `knex.destroy()`; or an existing
 * pool, which stays open
 * @throws {OptionsError} from `knex()`, for what in Knex's configuration cannot be kept
 * @example knex({ client: mirroredPostgres({ nodes: ["postgres://…", "postgres://…"] }) })
 */
export function mirroredPostgres(source: KnexPoolSource): typeof Knex.Client {
  return class MirroredClient extends knexPostgres() {
    #owned: FailoverPool | undefined;

    constructor(config: Knex.Config) {
      refuseUnfit(source, config);
      super(config);
      this.initializeDriver();
      this.initializePool(config);
    }

    override initializePool(config: Knex.Config = this.config): void {
      if (!isPool(source)) this.#owned ??= createPool(ownPoolOptions(source, config));
      super.initializePool(config);
    }

    /** Virtual connections need not be kept: those of the nodes are. */
    override poolDefaults(): ReturnType<Knex.Client["poolDefaults"]> {
      return { ...super.poolDefaults(), min: 0 };
    }

    override async acquireRawConnection(): Promise<VirtualClient> {
      const connection = createVirtualClient(isPool(source) ? source : this.#opened());
      // our own driver gives it to each connection at login
      if (isPool(source) || source.driver !== undefined) await this.setSchemaSearchPath(connection);
      return connection;
    }

    #opened(): FailoverPool {
      if (this.#owned === undefined) throw new Error("knex.destroy() has closed the mirrored pool");
      return this.#owned;
    }

    override async validateConnection(connection: VirtualClient): Promise<boolean> {
      return connection._queryable && !spent.has(connection);
    }

    override async acquireConnection(): Promise<VirtualClient> {
      const connection: VirtualClient = await super.acquireConnection();
      connection.lend();
      return connection;
    }

    override async releaseConnection(connection?: VirtualClient & { __knex__disposed?: unknown }): Promise<void> {
      // of a stream that is closed before it has one: Knex before 3.1 gives nothing back then
      if (connection === undefined) return;
      // a statement that Knex has timed out is ended, and not left to run on
      connection.unbind(connection.__knex__disposed === undefined ? "return" : "destroy");
      // a stream may be closed after knex.destroy()
      if (this.pool !== undefined) await super.releaseConnection(connection);
    }

    override async cancelQuery(connection?: VirtualClient): Promise<void> {
      connection?.interrupt("Knex's timeout");
    }

    override async _query(connection: VirtualClient, query: SentQuery): Promise<SentQuery> {
      return checkCommit(await super._query(connection, query));
    }

    override _stream(
      connection: VirtualClient,
      query: SentQuery,
      stream: Transform,
      options: unknown,
    ): Promise<unknown> {
      spent.add(connection);
      if (stream.destroyed) return Promise.resolve();
      // one that is left early ends nothing that Knex waits for
      const closed = new Promise<void>((resolve) => stream.once("close", resolve));
      return Promise.race([super._stream(connection, query, stream, options), closed]);
    }

    /** Undefined for a pool that was given. */
    override database(): string | undefined {
      return isPool(source) ? undefined : databaseOf(ownPoolOptions(source, this.config));
    }

    override async destroy(callback?: (error?: unknown) => void): Promise<void> {
      const owned = this.#owned;
      this.#owned = undefined;
      try {
        // Knex waits for what it has lent, and the pool ends what takes too long
        await Promise.all([super.destroy(undefined), owned?.close()]);
      } catch (error) {
        if (callback === undefined) throw error;
        return callback(error);
      }
      callback?.();
    }
  };
}
