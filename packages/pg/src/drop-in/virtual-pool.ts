import { AsyncResource } from "node:async_hooks";
import type { FailoverPool } from "@mirrorpool/core";
import type pg from "pg";
import { withCallerStack } from "./caller-stack.ts";
import type { DropInClientConfig, DropInPoolConfig, Given } from "./options.ts";
import type { Callback } from "./request.ts";
import { resolveSource, type SharedSource } from "./source.ts";
import { VirtualClient } from "./virtual-client.ts";

/** As `pg.Pool`, with more options. */
export type PoolClass = typeof pg.Pool & (new (config?: DropInPoolConfig) => pg.Pool);
/** As `pg.Client`, with more options. */
export type ClientClass = typeof pg.Client & (new (config?: DropInClientConfig | string) => pg.Client);

/** The pool of this copy of `pg`, handing out virtual clients; everything else is pg-pool's own. */
export function createPoolClass(module: typeof pg, shared: SharedSource | undefined): PoolClass {
  class Pool extends module.Pool {
    /** Undefined: the failover pool is somebody else's. */
    readonly #owned: FailoverPool | undefined;

    constructor(config: DropInPoolConfig = {}) {
      const source = resolveSource(config as Given, shared);
      class PooledClient extends VirtualClient {
        constructor(options: pg.ClientConfig) {
          super(options, { ...source, isOwned: false });
        }
      }
      super({ ...config, Client: PooledClient as unknown as NonNullable<pg.PoolConfig["Client"]> });
      this.#owned = source.isOwned ? source.pool : undefined;
      hideSecrets(this.options as object);
      const clientOf = (client: unknown): VirtualClient => client as VirtualClient; // made by the class above
      this.on("acquire", (client) => clientOf(client).lend());
      this.on("release", (error: unknown, client) => void clientOf(client).unbind(error ? "destroy" : "return"));
    }

    /** As pg-pool's, but an error of the statement costs no connection. */
    override query(...given: unknown[]): never {
      return this.#query(given) as never; // typed by `pg`'s overloads
    }

    #query([text, ownValues, last]: readonly unknown[]): Promise<unknown> | undefined {
      const [values, callback] = typeof ownValues === "function" ? [undefined, ownValues] : [ownValues, last];
      if (typeof callback === "function") {
        this.#dispatch(text, values, callback as Callback);
        return undefined;
      }
      const { Promise: Chosen } = this as unknown as { readonly Promise: PromiseConstructor }; // pg-pool's option
      return new Chosen((resolve, reject) => {
        this.#dispatch(text, values, (error, result) => (error ? reject(error) : resolve(result)));
      }).catch(withCallerStack);
    }

    #dispatch(text: unknown, values: unknown, callback: Callback): void {
      if (typeof text === "function") {
        const error = new Error("Passing a function as the first parameter to pool.query is not supported");
        setImmediate(() => (text as Callback)(error));
        return;
      }
      // else it would go on in the context of whoever gives a client back; AsyncResource.bind() would take 6 µs for it
      const context = new AsyncResource("mirrorpool.checkout");
      const run = runOnce(text, values, callback);
      this.connect((...given: Parameters<Connected>) => context.runInAsyncScope(run, undefined, ...given));
    }

    override end(callback?: () => void): never {
      const ended = super.end().then(() => this.#owned?.close());
      if (callback === undefined) return ended as never; // typed by `pg`'s overloads
      ended.then(callback, callback);
      return undefined as never;
    }
  }
  return Pool as PoolClass;
}

type Connected = (error: Error | undefined, client: pg.PoolClient | undefined, release: () => void) => void;

/** Runs the one query of a checkout. */
function runOnce(text: unknown, values: unknown, callback: Callback): Connected {
  return (error, client, release) => {
    if (error !== undefined || client === undefined) {
      callback(error);
      return;
    }
    try {
      (client as unknown as VirtualClient).queryAlone(text, values, (failure, result) => {
        release();
        if (failure) callback(failure);
        else callback(undefined, result);
      });
    } catch (thrown) {
      release();
      callback(thrown);
    }
  };
}

/** A client that is a session of the failover pool from `connect()` to `end()`: for libraries that pool clients themselves. */
export function createClientClass(shared: SharedSource | undefined): ClientClass {
  class Client extends VirtualClient {
    constructor(config: DropInClientConfig | string = {}) {
      const given = typeof config === "string" ? { connectionString: config } : config;
      super(given, resolveSource(given as Given, shared));
      this.lend();
    }
  }
  return Client as unknown as ClientClass;
}

/** What is logged of a pool shows no URL, which may hold a password. */
function hideSecrets(options: object): void {
  for (const name of ["mirrorpool", "connectionString"]) {
    if (name in options) Object.defineProperty(options, name, { enumerable: false });
  }
}
