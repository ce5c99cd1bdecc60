import type { Connection, Result, Statement } from "@mirrorpool/core";
import { NotSentError, outbox } from "@mirrorpool/core";
import pg from "pg";
import { BeginQuery } from "./begin-query.ts";
import { sendCancel } from "./cancel.ts";
import { ConnectionLost } from "./classify.ts";
import type { Client } from "./client.ts";
import { CommitQuery, isWithCommit } from "./commit-query.ts";
import type { HeldConnection, Holder, Unasked } from "./holder.ts";
import { Pipeline } from "./pipeline.ts";
import { PreparedQuery } from "./prepared-query.ts";
import type { Preparation, PreparedStatements } from "./prepared-statements.ts";
import { markStale, stalenessOf } from "./stale.ts";
import { Submission } from "./submission.ts";

type Answer = Result | pg.QueryResult[];

/** How long a polite goodbye may take. */
const CLOSE_MS = 500;

/** One `pg` client. Its state comes from the protocol's ReadyForQuery, which alone says that the server is done. */
export class PgConnection implements Connection, HeldConnection {
  readonly #client: Client;
  readonly #closeListeners: (() => void)[] = [];
  #isClosed = false;
  #isReferenced = true;
  /** Settles the running statement, once the server is ready or the connection is lost. */
  #onReady: (() => void) | undefined;
  #transactionStatus = "I";
  readonly #prepared: PreparedStatements | undefined;
  /** Whether the server has taken the values of the running statement: before that it had no effect. Counted from its send. */
  #bound = 0;

  constructor(client: Client, prepared: PreparedStatements | undefined) {
    this.#client = client;
    this.#prepared = prepared;
    // before the client's own listener, which calls the statement's callback
    client.connection.prependListener("readyForQuery", ({ status }) => {
      const now = performance.now();
      this.#servedMs = now - this.#startedAt;
      this.#startedAt = now;
      this.#transactionStatus = status;
      if (this.#failure !== undefined) this.#onReady?.();
      if (this.#pipeline.size > 0) {
        this.#pipeline.ready();
        this.#bound = 0;
      }
    });
    client.connection.on("commandComplete", ({ text }) => {
      this.#forgetDiscarded(text);
      prepared?.noteCommand(text);
    });
    client.connection.on("bindComplete", () => {
      this.#bound += 1;
    });
    client.connection.on("error", () => this.#markClosed());
    client.connection.on("end", () => this.#markClosed());
    client.on("error", () => this.destroy());
    for (const event of ["notice", "notification"] as const)
      client.on(event, (message: unknown) => this.#tell(event, message));
    client.connection.on("parameterStatus", (message) => {
      prepared?.noteSetting(message.parameterName);
      this.#tell("parameterStatus", message);
    });
  }

  #holder: Holder | undefined;

  #tell(event: Unasked, message: unknown): void {
    this.#holder?.hear(this, event, message);
  }

  get processID(): number | null {
    return this.#client.processID;
  }

  get secretKey(): number | null {
    return this.#client.secretKey;
  }

  /** When the server began with the statement that runs: it was sent, or the one before it was answered. */
  #startedAt = 0;
  /** How long the last one took. */
  #servedMs = 0;
  #isBusy = false;
  #isGathering = false;
  readonly #pipeline = new Pipeline();
  #failure: { readonly error: unknown } | undefined;

  get status(): Connection["status"] {
    if (this.#isClosed) return "closed";
    if (this.#isBusy || this.#pipeline.size > 0) return "busy";
    if (this.#transactionStatus === "I") return "idle";
    return this.#transactionStatus === "T" ? "transaction" : "failed";
  }

  get isInTransaction(): boolean {
    return this.#transactionStatus !== "I";
  }

  run(statement: Statement): Promise<Result> {
    return this.#execute(statement, undefined);
  }

  begin({ text }: Statement, statement: Statement): Promise<Result> {
    return this.#execute(statement, text);
  }

  /** Undefined with an older `pg`, which cannot. */
  get pipeline(): Connection["pipeline"] {
    return this.#client.pipeline === undefined ? undefined : this.#runPiped;
  }

  readonly #runPiped = (statement: Statement): Promise<Result> => {
    if (!this.#client._queryable) this.destroy();
    if (this.#isClosed) return Promise.reject(new NotSentError(new ConnectionLost("the connection is closed")));
    const { values } = statement;
    if (values !== undefined && !Array.isArray(values))
      return Promise.reject(new TypeError("the values of a statement must be an array"));
    return this.#pipe(statement, this.#prepared?.use(statement));
  };

  #pipe(statement: Statement, preparation: Preparation | undefined): Promise<Result> {
    if (this.#pipeline.size === 0) {
      this.#client.pipeline = true;
      this.#bound = 0;
      this.#startedAt = performance.now();
    }
    let isStale = false;
    const isLost = (): boolean => this.#isClosed || !this.#client._queryable;
    const running = this.#pipeline.add((callback) => {
      this.#gather();
      this.#send(statement, undefined, preparation, (error, answer) => {
        if (error === null || error === undefined) this.#prepared?.noteRun(statement.text, preparation, this.#servedMs);
        else if (preparation !== undefined) isStale ||= this.#isStale(error, preparation, true);
        callback(error, answer as Result); // an array comes only from several statements, of which none is piped
      });
    }, isLost);
    return running.catch((error: unknown) => {
      if (isLost() && !isAnswer(error)) throw new ConnectionLost("the connection was lost under a statement", error);
      if (!isStale) throw error;
      if (this.#isClosed) throw new NotSentError(new ConnectionLost("the connection is closed"));
      return this.#pipe(statement, undefined);
    });
  }

  /**
   * What is sent at once goes out in one write: the system call is the dearest part of a small statement. Not at the end of the turn,
   * as what has its connection to itself: the server would wait for many statements instead of one.
   */
  #gather(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    const { stream } = this.#client.connection;
    stream.cork();
    process.nextTick(() => {
      this.#isGathering = false;
      stream.uncork();
    });
  }

  #execute(statement: Statement, begin: string | undefined): Promise<Result> {
    if (!this.#client._queryable) this.destroy();
    if (this.#isClosed) return Promise.reject(new NotSentError(new ConnectionLost("the connection is closed")));
    if (statement.values !== undefined && !Array.isArray(statement.values)) {
      return Promise.reject(new TypeError("the values of a statement must be an array"));
    }
    this.#holder = statement["holder"] as Holder | undefined; // ours, or nobody's
    this.#holder?.attach(this);
    return this.#attempt(statement, begin, this.#prepared?.use(statement));
  }

  #attempt(statement: Statement, begin: string | undefined, preparation: Preparation | undefined): Promise<Result> {
    this.#isBusy = true;
    this.#startedAt = performance.now();
    if (this.#client.pipeline === true) this.#client.pipeline = false;
    this.#bound = begin === undefined ? 0 : -1; // the BEGIN is bound as well
    const { isInTransaction } = this;
    const wasParsed = preparation !== undefined && this.#prepared?.isParsed(preparation) === true;
    return new Promise<Result>((resolve, reject) => {
      if (statement.channel === undefined) outbox.hold(this.#client.connection.stream);
      this.#send(statement, begin, preparation, (error, answer) => {
        if (error === null || error === undefined) {
          this.#endRun();
          this.#prepared?.noteRun(statement.text, preparation, this.#servedMs);
          resolve(toResult(answer));
          return;
        }
        const fail = (): void => {
          const lost = (this.#isClosed || !this.#client._queryable) && !isAnswer(error);
          this.#endRun();
          const isStale = preparation !== undefined && this.#isStale(error, preparation, wasParsed);
          if (isStale && !isInTransaction) {
            this.#isBusy = true;
            resolve(Promise.resolve().then(() => this.#again(statement, begin)));
            return;
          }
          if (isStale) markStale(error as object);
          reject(lost ? new ConnectionLost("the connection was lost under a statement", error) : error);
        };
        // an error comes before ReadyForQuery, unless it never left the client
        if (this.#isClosed || this.#client.readyForQuery) return fail();
        const failure = { error };
        this.#failure = failure;
        this.#onReady = fail;
        // what the client itself refuses to send, it says so before it calls itself ready again: nothing more is to come
        queueMicrotask(() => {
          if (this.#failure === failure && this.#client.readyForQuery) fail();
        });
      });
    });
  }

  /** The statement failed because it was prepared, before it had any effect. */
  #isStale(error: unknown, preparation: Preparation, wasParsed: boolean): boolean {
    if (this.#bound > 0) return false;
    this.#prepared?.forget(preparation);
    const staleness = stalenessOf(error, wasParsed);
    if (staleness === "vanished") this.#prepared?.noteVanished();
    return staleness !== undefined;
  }

  /** Sends a statement that had no effect once more, as the application wrote it. */
  async #again(statement: Statement, begin: string | undefined): Promise<Result> {
    if (this.isInTransaction && !this.#isClosed) await this.#attempt({ text: "ROLLBACK" }, undefined, undefined);
    if (this.#isClosed) throw new NotSentError(new ConnectionLost("the connection is closed"));
    return this.#attempt(statement, begin, undefined);
  }

  #send(
    statement: Statement,
    begin: string | undefined,
    preparation: Preparation | undefined,
    callback: (error: unknown, answer: Answer) => void,
  ): void {
    // `pg` wants a mutable array, which it does not change, and types the result as one also where there are several
    const { channel, text, values } = statement;
    if (channel instanceof Submission) {
      this.#client.query(channel.attempt(callback));
      return;
    }
    if (isWithCommit(statement)) {
      this.#client.query(new CommitQuery(text, values, preparation, callback));
      return;
    }
    const config = statement as unknown as pg.QueryConfig;
    const [query, given] = isPlain(statement) ? [text, values] : [config, undefined];
    if (begin !== undefined) this.#client.query(new BeginQuery(begin, query, given, preparation, callback));
    else if (preparation !== undefined) this.#client.query(new PreparedQuery(query, given, preparation, callback));
    else if (typeof query === "string") this.#client.query(query, given as unknown[], callback);
    else this.#client.query(query, callback);
  }

  /** `pg` goes on to believe in the named statements that the server has dropped: each would be an error, 26000. */
  #forgetDiscarded(command: string): void {
    if (command !== "DISCARD ALL" && command !== "DEALLOCATE ALL") return;
    const { parsedStatements } = this.#client.connection;
    for (const name of Object.keys(parsedStatements)) delete parsedStatements[name];
  }

  #endRun(): void {
    this.#isBusy = false;
    this.#failure = undefined;
    this.#onReady = undefined;
  }

  get sessionId(): string | undefined {
    return this.#client.processID?.toString();
  }

  cancel(signal: AbortSignal): Promise<void> {
    const { processID, secretKey, connection } = this.#client;
    const { remoteAddress, remotePort } = connection.stream;
    if (processID === null || secretKey === null || remoteAddress === undefined || remotePort === undefined) {
      return Promise.reject(new Error("the connection has no address to send a cancel request to"));
    }
    return sendCancel({ host: remoteAddress, port: remotePort }, processID, secretKey, signal);
  }

  destroy(): void {
    this.#markClosed();
    this.#client.connection.stream.destroy();
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    const { stream } = this.#client.connection;
    this.#markClosed();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        stream.destroy();
        resolve();
      }, CLOSE_MS);
    });
    await Promise.race([this.#client.end().catch(() => {}), late]); // whatever goes wrong, the socket is gone then
    clearTimeout(timer);
  }

  onClose(listener: () => void): void {
    if (this.#isClosed) listener();
    else this.#closeListeners.push(listener);
  }

  setRef(isReferenced: boolean): void {
    if (this.#isClosed || isReferenced === this.#isReferenced) return;
    this.#isReferenced = isReferenced;
    if (isReferenced) this.#client.ref();
    else this.#client.unref();
  }

  #markClosed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#failure !== undefined) this.#onReady?.();
    this.#pipeline.lose();
    for (const listener of this.#closeListeners.splice(0)) listener();
  }
}

/** The server's own words; they hold also where the connection ended right after them. */
const isAnswer = (error: unknown): boolean => error instanceof pg.DatabaseError;

/** A text and perhaps values: whatever has more `pg` copies with all descriptors, at 4 µs for each statement. */
function isPlain(statement: Statement): boolean {
  for (const name in statement) if (name !== "text" && name !== "values" && name !== "holder") return false;
  return Object.getPrototypeOf(statement) === Object.prototype;
}

/** One that says no more of itself than how its answer is to be read. */
export function isPipeable(statement: Statement): boolean {
  // Prisma names what it gives no value
  for (const name in statement) if (!PIPEABLE.has(name) && statement[name] !== undefined) return false;
  return Object.getPrototypeOf(statement) === Object.prototype && !Array.isArray(statement["types"]); // of parameters
}

const PIPEABLE: ReadonlySet<string> = new Set(["text", "values", "holder", "rowMode", "types"]);

function toResult(answer: Answer): Result {
  if (!Array.isArray(answer)) return answer;
  const last = answer.at(-1) as Result; // an array comes only from several statements
  return Object.assign(last, { results: answer });
}
