import { EventEmitter } from "node:events";
import { MirrorpoolError, OptionsError, type Result, type SessionLostError } from "@mirrorpool/core";
import mysql from "mysql2";
import { type Answer, answerOf } from "./answer.ts";
import { commandTask } from "./command-task.ts";
import { InertStream } from "./inert-stream.ts";
import {
  type BaseConnection,
  type BasePool,
  type BasePoolConnection,
  type Callback,
  type Command,
  type ConnectionConfig,
  classes,
  type ExecuteCommand,
  isExecute,
  isPrepare,
  isQuery,
  type Options,
  type QueryCommand,
} from "./internals.ts";
import { preparedStatement } from "./prepared-statement.ts";
import { PromiseConnection, PromisePoolConnection } from "./promise-classes.ts";
import { executeStatement, plainStatement, queryAsWritten, queryStatement } from "./statement.ts";
import { type Source, VirtualSession } from "./virtual-session.ts";

/** Runs what a connection of `mysql2` is asked for as statements of the failover pool. */
class Conversation {
  readonly #connection: BaseConnection;
  readonly #source: Source;
  readonly session: VirtualSession;
  /** Those who listen for errors from the start are no part of the application. */
  readonly #ownListeners: number;
  #flow: { pause(): void; resume(): void } | undefined;
  #connecting: Promise<void> | undefined;
  readonly #given = new AbortController();

  constructor(connection: BaseConnection, source: Source) {
    this.#connection = connection;
    this.#source = source;
    this.session = new VirtualSession(source, (error) => this.#lost(error));
    this.#ownListeners = connection.listenerCount("error");
  }

  /** Resolves when some node can answer; no connection is opened for it. */
  connect(): Promise<void> {
    this.#connecting ??= this.#connect();
    return this.#connecting;
  }

  async #connect(): Promise<void> {
    const { pool, connectTimeoutMs: timeoutMs } = this.#source;
    const limit = timeoutMs === undefined ? {} : { timeoutMs };
    await pool.start({ until: "readable", signal: this.#given.signal, ...limit });
    this.#connection._handshakePacket = {};
    this.#connection.authorized = true;
  }

  add(command: Command): Command {
    if (isQuery(command)) {
      this.#run(command, queryStatement(this.#connection, command, this.#source), command._queryOptions);
    } else if (isExecute(command)) {
      this.#run(command, executeStatement(command, this.#source), command._executeOptions);
    } else if (isPrepare(command)) {
      // on which node, only its execution will tell
      const statement = preparedStatement(this.#connection, command);
      process.nextTick(() => command.emit("end"));
      command.onResult?.(null, statement);
    } else refuse(command, (error) => this.#fail(error));
    return command;
  }

  /**
   * Runs a query for an adapter that knows what its ORM writes and reads: no command is made of it.
   * @param given the query's options, as `mysql2` has them
   * @param take makes of rows or header, and the columns, what is returned
   * @returns undefined where a command is needed all the same
   */
  ask<T>(
    text: unknown,
    values: unknown,
    given: Options | undefined,
    take: (answer: Answer) => T,
  ): Promise<T> | undefined {
    const statement = this.#given.signal.aborted ? undefined : plainStatement(text, values, given, this.#source);
    if (statement === undefined) return undefined;
    const { session } = this;
    statement["holder"] = session;
    return new Promise((resolve, reject) => {
      const done = (error: unknown, result: Result | undefined): void => {
        if (error === undefined)
          resolve(take(answerOf(result as Result))); // without an error there is one
        else reject(error);
      };
      session.add({ statement, options: session.options(given?.["timeout"]), done });
    });
  }

  /** The one query of a checkout needs no session. @returns false where it does all the same */
  runAlone(command: QueryCommand): boolean {
    const { session } = this;
    const statement = session.isForOne ? queryAsWritten(command, this.#source) : undefined;
    if (statement === undefined) return false;
    statement["holder"] = session;
    const task = commandTask(command, statement, session.options(command._queryOptions["timeout"]), this.#onFail);
    if (task.channel !== undefined) return false;
    this.#source.pool.query(task.statement, undefined, task.options).then(
      (result) => task.done(undefined, result),
      (error: unknown) => {
        if (error instanceof MirrorpoolError && error.code === "SESSION_REQUIRED") session.add(task);
        else task.done(error, undefined);
      },
    );
    return true;
  }

  #run(
    command: QueryCommand | ExecuteCommand,
    statement: ReturnType<typeof queryStatement>,
    { timeout }: { readonly timeout?: unknown },
  ): void {
    const held = { ...statement, holder: this.session };
    const task = commandTask(command, held, this.session.options(timeout), this.#onFail);
    const { channel } = task;
    if (channel !== undefined) {
      this.#flow = channel;
      const { stream } = command;
      command.stream = (...given) => {
        const rows = stream.apply(command, given);
        rows.once("close", () => this.session.close(task));
        return rows;
      };
    }
    this.session.add(task);
  }

  pause(): void {
    this.#flow?.pause();
  }

  resume(): void {
    this.#flow?.resume();
  }

  /** Runs a statement of ours in the session. */
  command(text: string, callback: Callback | undefined): void {
    this.session.add({
      statement: { text, holder: this.session },
      options: this.session.options(undefined),
      done: (error) =>
        process.nextTick(() =>
          error === undefined ? (callback as (() => void) | undefined)?.() : this.#report(error, callback),
        ),
    });
  }

  async reset(callback: Callback | undefined): Promise<void> {
    await this.session.renew();
    callback?.(null);
  }

  /** Only the database can be another one: as whom to log in, the nodes' addresses say. */
  async changeUser(options: unknown, callback: Callback | undefined): Promise<void> {
    const { user, database, ...others } = (options ?? {}) as Readonly<Record<string, unknown>>;
    const isSameUser = user === undefined || user === this.#connection.config["user"];
    const other = Object.keys(others).find((name) => others[name] !== undefined && name !== "timeout");
    if (!isSameUser || other !== undefined || typeof database !== "string") {
      const rule = "only `database`: another user needs a pool of its own, whose nodes say how to log in";
      this.#report(
        new OptionsError(`changeUser.${isSameUser ? (other ?? "database") : "user"}`, rule, "a value"),
        callback,
      );
      return;
    }
    await this.session.renew();
    this.command(`USE ${mysql.escapeId(database, true)}`, callback);
  }

  #report(error: unknown, callback: Callback | undefined): void {
    if (callback === undefined) this.#fail(error);
    else callback(error);
  }

  readonly #onFail = (error: unknown): void => this.#fail(error);

  /** An error that no command has a listener for. */
  #fail(error: unknown): void {
    const { listeners } = this.#awaited();
    if (listeners > 0) this.#connection.emit("error", error);
    else if (error instanceof Error) process.emitWarning(error);
  }

  #awaited(): { readonly listeners: number } {
    return { listeners: this.#connection.listenerCount("error") - this.#ownListeners };
  }

  /** Who waits for the connection's errors is told at once; others are by their next statement. */
  #lost(error: SessionLostError): void {
    if (this.#awaited().listeners > 0) setImmediate(() => this.#connection.emit("error", error));
  }

  /** After what was begun; with `destroy` at once. */
  async end(how: "return" | "destroy"): Promise<void> {
    this.#given.abort(new Error("the connection was ended"));
    await this.session.unbind(how);
    if (this.#source.isOwned) await this.#source.pool.close();
  }
}

function refuse(command: Command, fail: (error: unknown) => void): void {
  const rule = "a query: what needs a connection to one server is for mysql2 itself, with the address of the node";
  const error = new OptionsError("command", rule, command.constructor.name);
  process.nextTick(() => (command.onResult ? command.onResult(error) : fail(error)));
}

/** Without a socket, and nothing that waits for one. */
export function inertConfig(config: ConnectionConfig): { readonly config: ConnectionConfig } {
  const copy: ConnectionConfig = Object.create(Object.getPrototypeOf(config), Object.getOwnPropertyDescriptors(config));
  return {
    config: Object.assign(copy, { stream: () => new InertStream(), connectTimeout: 0, maxPreparedStatements: 1 }),
  };
}

const isCommand = (sql: unknown): sql is QueryCommand => sql instanceof EventEmitter && isQuery(sql as Command);

type Base = new (...given: unknown[]) => BaseConnection;

/** One of `mysql2`'s own connections, with everything that goes to a server replaced. */
export interface VirtualConnection extends BaseConnection {
  readonly conversation: Conversation;
}

/** Either of `mysql2`'s classes: that of a single connection, or that of a pool's. */
function virtual(
  BaseClass: Base,
  PromiseClass: typeof PromiseConnection,
): new (
  source: Source,
  ...given: unknown[]
) => VirtualConnection {
  return class extends BaseClass implements VirtualConnection {
    readonly #conversation: Conversation;

    constructor(source: Source, ...given: unknown[]) {
      super(...given);
      this.#conversation = new Conversation(this, source);
    }

    get conversation(): Conversation {
      return this.#conversation;
    }

    get threadId(): number | null {
      return #conversation in this ? this.#conversation.session.threadId : null;
    }
    set threadId(_: number | null) {}

    override addCommand(command: Command): Command {
      // `mysql2`'s constructor asks for the handshake
      return #conversation in this ? this.#conversation.add(command) : command;
    }

    override connect(callback?: Callback): void {
      const connected = this.#conversation.connect();
      connected.then(
        () => callback?.(null, this),
        (error: unknown) => callback?.(error),
      );
    }

    /** A pool hands its one query over as a command, which has its values put in here otherwise. */
    override query(sql: unknown, values?: unknown, callback?: unknown): QueryCommand {
      if (isCommand(sql) && this.#conversation.runAlone(sql)) return sql;
      return super.query(sql, values, callback);
    }

    override promise(implementation?: PromiseConstructor): unknown {
      return new PromiseClass(this, implementation);
    }

    override ping(callback?: Callback): this {
      this.#conversation.command("SELECT 1", callback);
      return this;
    }

    override reset(callback?: Callback): this {
      void this.#conversation.reset(callback);
      return this;
    }

    override changeUser(options: unknown, callback?: Callback): this {
      void this.#conversation.changeUser(options, callback);
      return this;
    }

    override pause(): void {
      this.#conversation.pause();
    }

    override resume(): void {
      this.#conversation.resume();
    }

    /** `mysql2` destroys by this as well. */
    override close(): void {
      super.close();
      void this.#conversation.end("destroy");
    }

    override end(callback?: Callback): this {
      this._closing = true;
      this.addCommand = this._addCommandClosedState;
      void this.#conversation.end("return").then(() => {
        callback?.(undefined);
        this.stream.end();
      });
      return this;
    }
  };
}

/** A connection that is one session of the failover pool, from the beginning to `end()`. */
export const SingleConnection: new (source: Source, options: object) => VirtualConnection = virtual(
  classes.Connection as unknown as Base,
  PromiseConnection,
);

/** What a pool of the drop-in hands out. */
const Pooled = virtual(classes.PoolConnection as unknown as Base, PromisePoolConnection) as unknown as new (
  source: Source,
  pool: BasePool,
  options: object,
) => VirtualConnection & BasePoolConnection;

export class PooledConnection extends Pooled {
  /** As a pool ends its connections. */
  _realEnd(callback?: Callback): void {
    super.end(callback);
  }

  /** Gives it back, as `mysql2` does unless `gracefulEnd` is set. */
  override end(callback?: Callback): this {
    if (this.config["gracefulEnd"] === true) {
      this._removeFromPool();
      super.end(callback);
      return this;
    }
    this.release();
    callback?.(undefined);
    return this;
  }
}
