import type { Transform } from "node:stream";
import { createPool, type Driver, type FailoverPool } from "@mirrorpool/core";
import type { Knex } from "knex";
import knex from "knex";
import { databaseOf, isPool, type KnexPoolSource, ownPoolOptions, refuseUnfit } from "./options.ts";

/** A statement as Knex's dialect sends it; the answer is put into it. */
export interface SentQuery {
  readonly sql: string;
  readonly bindings?: unknown;
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  response?: unknown;
}

/** What Knex's types leave out of its client. */
export interface KnexClient extends Knex.Client {
  initializePool(config?: Knex.Config): void;
  acquireConnection(): Promise<object>;
  releaseConnection(connection?: object): Promise<void>;
  cancelQuery(connection?: object): Promise<void>;
  destroy(callback: unknown): Promise<void>;
  _query(connection: object, query: SentQuery): Promise<SentQuery>;
  _stream(connection: object, query: SentQuery, stream: Transform, options: unknown): Promise<unknown>;
}

type Statics = Pick<typeof Knex.Client, keyof typeof Knex.Client>;

/** A virtual connection of one database library, as Knex's pool has it. */
export interface System<C extends object, K extends KnexClient = KnexClient> {
  /** Knex's own dialect. */
  readonly client: string;
  /** Where the source names no driver. */
  driver(config: Knex.Config): Driver;
  /** @param isOwnDriver it is the one that was made of Knex's configuration */
  connect(pool: FailoverPool, client: K, isOwnDriver: boolean): Promise<C>;
  /** What Knex may write as the name of the database where that is not known. */
  readonly database: unknown;
  isUsable(connection: C): boolean;
  lend(connection: C): void;
  unbind(connection: C, how: "return" | "destroy"): void;
  interrupt(connection: C, reason: string): void;
  /** Sends a statement with less work than Knex's dialect has with it; undefined where that one has to. */
  send?(connection: C, query: SentQuery): Promise<SentQuery> | undefined;
  /** Where an answer may be none that Knex should take for a success. @throws for such a one */
  check?(query: SentQuery): SentQuery;
}

/** Asked for with each statement. */
const [VALID, INVALID] = [Promise.resolve(true), Promise.resolve(false)];

/** The client of the application's own Knex. */
const clientOf = (name: string): Statics & (new (config: Knex.Config) => KnexClient) =>
  knex({ client: name }).client.constructor;

/**
 * Streamed on: Knex gives such a connection back twice, and the second time must not hit somebody else who has it by then.
 * Not a field: in a transaction Knex works with clients that no constructor has made.
 */
const spent = new WeakSet<object>();

/**
 * Knex's client on a mirrored database: Knex's own pool hands out virtual connections, which cost nothing; it counts them, and
 * nothing more.
 */
export function mirroredClient<C extends object, K extends KnexClient>(
  source: KnexPoolSource,
  system: System<C, K>,
): typeof Knex.Client {
  return class MirroredClient extends clientOf(system.client) {
    #owned: FailoverPool | undefined;

    constructor(config: Knex.Config) {
      refuseUnfit(source, config);
      super(config);
      this.initializeDriver();
      this.initializePool(config);
    }

    override initializePool(config: Knex.Config = this.config): void {
      if (!isPool(source)) this.#owned ??= createPool(ownPoolOptions(source, config, system.driver));
      super.initializePool(config);
    }

    /** Virtual connections need not be kept: those of the nodes are. */
    override poolDefaults(): ReturnType<Knex.Client["poolDefaults"]> {
      return { ...super.poolDefaults(), min: 0 };
    }

    override async acquireRawConnection(): Promise<C> {
      const isOwnDriver = !isPool(source) && source.driver === undefined;
      return system.connect(isPool(source) ? source : this.#opened(), this as KnexClient as K, isOwnDriver);
    }

    #opened(): FailoverPool {
      if (this.#owned === undefined) throw new Error("knex.destroy() has closed the mirrored pool");
      return this.#owned;
    }

    override validateConnection(connection: C): Promise<boolean> {
      return system.isUsable(connection) && !spent.has(connection) ? VALID : INVALID;
    }

    override async acquireConnection(): Promise<C> {
      const connection = (await super.acquireConnection()) as C; // made above
      system.lend(connection);
      return connection;
    }

    // no async function, as those that each statement passes through: they cost it a promise more
    override releaseConnection(connection?: C & { __knex__disposed?: unknown }): Promise<void> {
      // of a stream that is closed before it has one: Knex before 3.1 gives nothing back then
      if (connection === undefined) return Promise.resolve();
      // a statement that Knex has timed out is ended, and not left to run on
      system.unbind(connection, connection.__knex__disposed === undefined ? "return" : "destroy");
      // a stream may be closed after knex.destroy()
      return this.pool === undefined ? Promise.resolve() : super.releaseConnection(connection);
    }

    override async cancelQuery(connection?: C): Promise<void> {
      if (connection !== undefined) system.interrupt(connection, "Knex's timeout");
    }

    override _query(connection: C, query: SentQuery): Promise<SentQuery> {
      const sent = system.send?.(connection, query) ?? super._query(connection, query);
      return system.check === undefined ? sent : sent.then(system.check);
    }

    override _stream(connection: C, query: SentQuery, stream: Transform, options: unknown): Promise<unknown> {
      spent.add(connection);
      if (stream.destroyed) return Promise.resolve();
      // one that is left early ends nothing that Knex waits for
      const closed = new Promise<void>((resolve) => stream.once("close", resolve));
      return Promise.race([super._stream(connection, query, stream, options), closed]);
    }

    override database(): string | undefined {
      // what a pool that was given has opened is not known here
      return isPool(source)
        ? (system.database as string | undefined)
        : databaseOf(ownPoolOptions(source, this.config, system.driver));
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
