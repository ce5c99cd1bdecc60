import promises from "mysql2/promise";
import type { BaseConnection, BasePool, Callback } from "./internals.ts";

/** What may be asked by a promise as well as by a callback. */
type Asked = Pick<BaseConnection, "query" | "execute">;

interface PromiseClasses {
  readonly PromisePool: new (
    pool: BasePool,
    implementation?: PromiseConstructor,
  ) => { readonly Promise: PromiseConstructor };
  readonly PromiseConnection: PromiseConnectionClass;
  readonly PromisePoolConnection: PromiseConnectionClass;
}

type PromiseConnectionClass = new (
  connection: BaseConnection,
  implementation?: PromiseConstructor,
) => { readonly Promise: PromiseConstructor };

/** `mysql2`'s own, which its types do not show as they are made. */
const base = promises as unknown as PromiseClasses;

/** As `mysql2` makes it by `pool.promise()`. */
export class PromisePool extends base.PromisePool {
  readonly #pool: BasePool & Asked;

  constructor(pool: BasePool & Asked, implementation?: PromiseConstructor) {
    super(pool, implementation);
    this.#pool = pool;
  }

  query(text: unknown, values?: unknown): Promise<unknown> {
    return ask(this.Promise, this.#pool, "query", text, values);
  }

  execute(text: unknown, values?: unknown): Promise<unknown> {
    return ask(this.Promise, this.#pool, "execute", text, values);
  }

  getConnection(): Promise<unknown> {
    return new this.Promise((resolve, reject) => {
      this.#pool.getConnection((error, connection) => {
        if (error) reject(error);
        else resolve((connection as BaseConnection).promise(this.Promise)); // without an error there is one
      });
    });
  }
}

function asked(Base: PromiseConnectionClass): PromiseConnectionClass {
  return class extends Base {
    readonly #connection: BaseConnection;

    constructor(connection: BaseConnection, implementation?: PromiseConstructor) {
      super(connection, implementation);
      this.#connection = connection;
    }

    query(text: unknown, values?: unknown): Promise<unknown> {
      return ask(this.Promise, this.#connection, "query", text, values);
    }

    execute(text: unknown, values?: unknown): Promise<unknown> {
      return ask(this.Promise, this.#connection, "execute", text, values);
    }
  };
}

/** As `mysql2` makes it by `connection.promise()`. */
export const PromiseConnection: PromiseConnectionClass = asked(base.PromiseConnection);

/** The same of a pool's connection. */
export const PromisePoolConnection: PromiseConnectionClass = asked(base.PromisePoolConnection);

/** `mysql2` takes the caller's stack before each query, which costs more than all else that it does for one. */
function ask(
  Chosen: PromiseConstructor,
  whom: Asked,
  how: keyof Asked,
  text: unknown,
  values: unknown,
): Promise<unknown> {
  if (typeof values === "function") throw new Error("Callback function is not available with promise clients.");
  return new Chosen((resolve, reject) => {
    const done: Callback = (error, answer, fields) => (error ? reject(error) : resolve([answer, fields]));
    if (values === undefined) whom[how](text, done);
    else whom[how](text, values, done);
  }).catch(withCallerStack);
}

/** As in `mysql2`, an error's stack leads to the application and not to the socket: to those who await it. */
function withCallerStack(error: unknown): never {
  if (error instanceof Error) {
    const here: { stack?: string } = {};
    Error.captureStackTrace(here, withCallerStack);
    const frames = here.stack?.slice(here.stack.indexOf("\n") + 1);
    if (frames?.includes("at async ") === true) error.stack = `${error.name}: ${error.message}\n${frames}`;
  }
  throw error;
}
