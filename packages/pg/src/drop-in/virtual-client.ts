import type { EventEmitter } from "node:events";
import {
  Checkout,
  type CheckoutTask,
  type FailoverPool,
  MirrorpoolError,
  NoNodeError,
  type Result,
  type SessionLostError,
  type Statement,
  type StatementOptions,
} from "@mirrorpool/core";
import { inspect } from "@mirrorpool/sql";
import pg from "pg";
import type { HeldConnection, Holder, Unasked } from "../holder.ts";
import { type QueryObject, Submission } from "../submission.ts";
import { withCallerStack } from "./caller-stack.ts";
import { type Callback, readRequest } from "./request.ts";
import { toPgResult } from "./result.ts";
import { VirtualConnection } from "./virtual-connection.ts";

/** Where a client's statements run. */
export interface Source {
  readonly pool: FailoverPool;
  /** Made for this client or pool, and closed with it. */
  readonly isOwned: boolean;
  /** What a client shows of its connection: that of the first node, or what the application gave. */
  readonly shown: pg.ClientConfig;
  /** Of all reads; undefined: as the pool says. */
  readonly consistency: StatementOptions["consistency"];
  /** Of a query that names none. */
  readonly queryTimeoutMs: number | undefined;
  /** For a client to find a node; undefined: `timeouts.failoverMs`. */
  readonly connectTimeoutMs: number | undefined;
  readonly binary: boolean;
}

/** What of `pg`'s client is kept: its state as others see it. Everything that goes to a server is replaced. */
interface ClientState extends EventEmitter {
  readonly connection: VirtualConnection;
  readonly _types: { setTypeParser(...args: unknown[]): void };
  readonly _Promise: PromiseConstructor;
  _connecting: boolean;
  _connected: boolean;
  _ending: boolean;
  _ended: boolean;
  _queryable: boolean;
}

const BaseClient = pg.Client as unknown as new (config: Record<string, unknown>) => ClientState;

const GIVEN_BACK: Promise<void> = Promise.resolve();

/** A query object as applications submit it. */
interface Submitted extends QueryObject {
  callback?: unknown;
  readonly cursor?: { readonly text?: unknown };
  readonly _result?: { _types?: unknown };
  once?(event: "close", listener: () => void): unknown;
  readonly destroyed?: boolean;
}

/**
 * A client that is bound to a node only when a statement says where it may go. Everything between two releases is one session
 * of the failover pool, which alone decides about routing, retries and what is lost.
 */
export class VirtualClient extends BaseClient implements Holder {
  readonly #source: Source;
  /** Of a query that says nothing else. */
  readonly #usual: CheckoutTask["options"];
  #checkout: Checkout | undefined;
  /** Somebody has it; an idle one gives its session back after each statement. */
  #isLent = false;
  /** Given before it was lent for the first time, by a hook of the pool: `pg` makes them once for each connection. */
  readonly #settings: Statement[] = [];
  #isNew = true;
  #hasOwnTypes: boolean;
  #isReferenced = true;
  #held: HeldConnection | undefined;
  #lost: SessionLostError | undefined;
  /** Ends the wait for a node. */
  readonly #connecting = new AbortController();

  constructor(config: pg.ClientConfig, source: Source) {
    const { types } = config;
    const connection = new VirtualConnection((error) => this.#connecting.abort(error));
    super({ ...source.shown, types, connection });
    this.#source = source;
    this.#usual = usualOptions(source);
    this.#hasOwnTypes = types !== undefined;
    connection.on("error", () => {});
  }

  /** Of the connection that it is bound to now. `pg` assigns null when it makes a client. */
  get processID(): number | null {
    return this.#held?.processID ?? null;
  }
  set processID(_: number | null) {}

  get secretKey(): number | null {
    return this.#held?.secretKey ?? null;
  }
  set secretKey(_: number | null) {}

  /** Resolves when some node can answer; no connection is opened for it. */
  connect(callback?: Callback): Promise<unknown> | undefined {
    if (callback === undefined) {
      return new this._Promise((resolve, reject) => {
        this.#connect((error) => (error ? reject(error) : resolve(this)));
      });
    }
    this.#connect(callback);
    return undefined;
  }

  #connect(callback: Callback): void {
    if (this._connecting || this._connected) {
      const error = new Error("Client has already been connected. You cannot reuse a client.");
      process.nextTick(() => callback(error));
      return;
    }
    this._connecting = true;
    const { pool, connectTimeoutMs: timeoutMs } = this.#source;
    const { signal } = this.#connecting;
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    pool.start({ until: "readable", signal, ...limit }).then(
      () => {
        this._connecting = false;
        if (this._ending) return soon(callback, new Error("Connection terminated"));
        this._connected = true;
        soon(callback, null, this);
        this.emit("connect");
      },
      (error: unknown) => {
        this._connecting = false;
        soon(callback, signal.aborted && !this._ending ? this.#withoutNode() : error);
      },
    );
  }

  /** pg-pool has ended the wait: its own error gets this as its cause, and says nothing of the nodes. */
  #withoutNode(): NoNodeError {
    const { nodes } = this.#source.pool.topology();
    const seen = nodes.map(({ id, status, fault }) => [id, status, fault].filter(Boolean).join(" "));
    return new NoNodeError(`no node that can answer was found in time: ${seen.join("; ")}`, nodes);
  }

  query(config: unknown, values?: unknown, callback?: unknown): unknown {
    if (config === null || config === undefined) {
      throw new TypeError("Client was passed a null or undefined query");
    }
    if (isSubmitted(config)) return this.#submit(config, values, callback);
    const request = readRequest(config, values, callback);
    if (request.callback !== undefined) {
      this.#run(request.statement, request.timeoutMs, request.callback);
      return undefined;
    }
    return new this._Promise((resolve, reject) => {
      this.#run(request.statement, request.timeoutMs, (error, result) => (error ? reject(error) : resolve(result)));
    }).catch(withCallerStack);
  }

  /** The only statement between two releases. It needs no session of its own, unless it controls a transaction. */
  queryAlone(config: unknown, values: unknown, callback: Callback): void {
    const isAlone = this.#settings.length === 0 && this.#refusal() === undefined;
    if (!isAlone || config === null || config === undefined || isSubmitted(config)) {
      this.query(config, values, callback);
      return;
    }
    const { statement, timeoutMs } = readRequest(config, values, callback);
    if (refuseWithoutText(statement, callback)) return;
    this.#source.pool.query(this.#complete(statement), undefined, this.#options(timeoutMs)).then(
      (result) => {
        this.emit("drain");
        soon(callback, null, toPgResult(result));
      },
      (error: unknown) => {
        if (error instanceof MirrorpoolError && error.code === "SESSION_REQUIRED") this.query(config, values, callback);
        else soon(callback, error);
      },
    );
  }

  #run(statement: Statement, timeoutMs: number | undefined, callback: Callback): void {
    if (refuseWithoutText(statement, callback)) return;
    this.#add({
      statement: this.#complete(statement),
      options: this.#options(timeoutMs),
      done: (error, result) => {
        if (error !== undefined) soon(callback, error);
        else soon(callback, null, toPgResult(result as Result)); // without an error there is one
      },
    });
  }

  /** With what the client says of all its statements. @param statement made by {@link readRequest}, for this call alone */
  #complete(statement: Statement): Statement {
    const complete: { -readonly [K in keyof Statement]: Statement[K] } = statement;
    complete["holder"] = this;
    if (this.#hasOwnTypes && statement["types"] === undefined) complete["types"] = this._types;
    if (this.#source.binary && statement["binary"] === undefined) complete["binary"] = true;
    return complete;
  }

  /** The object itself speaks to the connection that its statement gets. */
  #submit(object: Submitted, values: unknown, callback: unknown): Submitted {
    const last = typeof values === "function" ? values : callback;
    if (!object.callback && last !== undefined) object.callback = last;
    if (object._result !== undefined && object._result._types === undefined) object._result._types = this._types;
    const submission = new Submission(object);
    const text = object.text ?? object.cursor?.text;
    const task: CheckoutTask = {
      statement: { text: typeof text === "string" ? text : "", channel: submission, holder: this },
      options: this.#options(undefined),
      done: (error) => {
        // what the application's listeners throw is not our error
        process.nextTick(() => (error === undefined ? submission.complete() : submission.fail(error)));
      },
    };
    const checkout = this.#add(task);
    object.once?.("close", () => checkout?.close(task));
    return object;
  }

  #options(timeoutMs: number | undefined): CheckoutTask["options"] {
    return timeoutMs === undefined ? this.#usual : { ...this.#usual, timeoutMs };
  }

  #add(task: CheckoutTask): Checkout | undefined {
    const refusal = this.#refusal();
    if (refusal !== undefined) {
      process.nextTick(() => task.done(refusal, undefined));
      return undefined;
    }
    this.#checkout ??= this.#open();
    this.#checkout.add(this.#isNew && isSetting(task.statement) ? this.#keepSetting(task) : task);
    return this.#checkout;
  }

  /** For all sessions to come, unless it fails: who gave it is told then. */
  #keepSetting(task: CheckoutTask): CheckoutTask {
    const { statement } = task;
    this.#settings.push(statement);
    const done: CheckoutTask["done"] = (error, result) => {
      if (error !== undefined) this.#settings.splice(this.#settings.indexOf(statement), 1);
      task.done(error, result);
    };
    return { ...task, done };
  }

  #open(): Checkout {
    return new Checkout(this.#source.pool, [...this.#settings], {
      lost: (error) => this.#onLost(error),
      drained: () => {
        this.emit("drain");
        if (!this.#isLent) this.unbind();
      },
    });
  }

  #refusal(): Error | undefined {
    if (this.#lost !== undefined) return this.#lost;
    if (this._ending) return new Error("Client was closed and is not queryable");
    return undefined;
  }

  /** From now on its statements are one session. */
  lend(): void {
    this.#isLent = true;
    this.#isNew = false;
  }

  /** The session ends, when what was begun has ended; with `destroy` it ends at once, and its connection with it. */
  unbind(how: "return" | "destroy" = "return"): Promise<void> {
    const checkout = this.#checkout;
    this.#isLent = false;
    // most clients are given back idle, and lent again
    if (how === "return" && checkout?.settings === this.#settings.length && checkout.giveBack()) {
      this.#held = undefined;
      return GIVEN_BACK;
    }
    this.#checkout = undefined;
    if (checkout === undefined || checkout.isIdle || how === "destroy") this.#held = undefined;
    return checkout?.end(how) ?? Promise.resolve();
  }

  /** Ends the statement that runs, on the very server that runs it; nothing where none does. */
  interrupt(reason: string): void {
    this.#checkout?.interrupt(reason);
  }

  /** As in `pg`: who waits for notifications, or for the client's errors, is told; others are by their next statement. */
  #onLost(error: SessionLostError): void {
    const isAwaited = this.listenerCount("error") > 0 || this.listenerCount("notification") > 0;
    if (!isAwaited) return;
    this.#lost = error;
    this._queryable = false;
    setImmediate(() => {
      process.nextTick(() => this.emit("end"));
      this.emit("error", error);
    });
  }

  attach(connection: HeldConnection): void {
    this.#held = connection;
    connection.setRef(this.#isReferenced);
  }

  hear(connection: HeldConnection, event: Unasked, message: unknown): void {
    if (connection !== this.#held) return;
    if (event === "parameterStatus") this.connection.emit(event, message);
    else this.emit(event, message);
  }

  getTransactionStatus(): "I" | "T" | "E" | null {
    if (!this._connected) return null;
    const status = this.#checkout?.transactionStatus ?? "none";
    return status === "none" ? "I" : status === "open" ? "T" : "E";
  }

  setTypeParser(...args: unknown[]): void {
    this.#hasOwnTypes = true;
    this._types.setTypeParser(...args);
  }

  ref(): void {
    this.#isReferenced = true;
    this.#held?.setRef(true);
  }

  unref(): void {
    this.#isReferenced = false;
    this.#held?.setRef(false);
  }

  /** Whether pg-pool, or a library that pools clients itself, may take it for a client that works. */
  isConnected(): boolean {
    return this._connected;
  }

  end(callback?: () => void): Promise<void> | undefined {
    const ended = this.#end();
    if (callback === undefined) return ended;
    ended.then(() => soon(callback as Callback, undefined));
    return undefined;
  }

  async #end(): Promise<void> {
    if (this._ended) return;
    this._ending = true;
    this._ended = true;
    this.#connecting.abort(new Error("Connection terminated"));
    await this.unbind(this.#checkout?.isIdle === false ? "destroy" : "return");
    if (this.#source.isOwned) await this.#source.pool.close();
    if (this.#lost === undefined) this.emit("end"); // else it was told already
  }
}

function usualOptions({ consistency, queryTimeoutMs: timeoutMs }: Source): CheckoutTask["options"] {
  return { ...(timeoutMs === undefined ? {} : { timeoutMs }), ...(consistency === undefined ? {} : { consistency }) };
}

function refuseWithoutText({ text }: Statement, callback: Callback): boolean {
  if (typeof text === "string") return false;
  const error = new Error(
    "A query must have text: a named statement runs wherever there is a node, and is prepared there",
  );
  process.nextTick(() => callback(error));
  return true;
}

const isSetting = ({ text, channel }: Statement): boolean =>
  channel === undefined && inspect(text, "postgres").session === "setting";

const isSubmitted = (config: unknown): config is Submitted =>
  typeof config === "object" && config !== null && "submit" in config && typeof config.submit === "function";

/** What the application's callback throws is the application's: it does not become a rejection of ours. */
function soon(callback: Callback, error: unknown, result?: unknown): void {
  try {
    if (result === undefined) callback(error);
    else callback(error, result);
  } catch (thrown) {
    process.nextTick(() => {
      throw thrown;
    });
  }
}
