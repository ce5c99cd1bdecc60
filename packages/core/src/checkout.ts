import { AsyncResource } from "node:async_hooks";
import type { Result, Statement } from "./driver.ts";
import { AbortedError, QueueFullError, type SessionLostError } from "./errors.ts";
import type { FailoverPool } from "./failover-pool.ts";
import { type PoolSession, renew } from "./pool-session.ts";
import type { StatementOptions } from "./session/demand.ts";

/** A statement that waits for its turn. */
export interface CheckoutTask {
  readonly statement: Statement;
  readonly options: Omit<StatementOptions, "signal">;
  /** Called once, when the next one may begin. */
  done(error: unknown, result: Result | undefined): void;
}

/** How long a stream may take to end that nobody reads from any more. */
const STREAM_GRACE_MS = 1000;

/** Statements that may wait on one client. The libraries themselves have no bound. */
const MAX_QUEUED = 100_000;

interface Entry {
  readonly task: CheckoutTask;
  /** The caller's asynchronous context, which is not that of the statement before: reads see the writes of their context. */
  readonly context: AsyncResource;
}

export interface CheckoutListener {
  /** State that cannot move went with its connection. */
  lost(error: SessionLostError): void;
  /** No statement is left. */
  drained(): void;
}

/**
 * What a drop-in's client does from one release to the next: one session of the pool, and its statements one after the other, as
 * they were given without a wait in between.
 */
export class Checkout {
  readonly #pool: FailoverPool;
  readonly #settings: readonly Statement[];
  readonly #listener: CheckoutListener;
  readonly #queue: Entry[] = [];
  #session: PoolSession | undefined;
  /** Statements that the session has run. */
  #runs = 0;
  /** The end of a stream may be told long after its checkout. */
  #hasStreamed = false;
  #closed: CheckoutTask | undefined;
  #current: CheckoutTask | undefined;
  #isWorking = false;
  /** Why the statement that runs was ended, perhaps before there was a session. */
  #interrupted: Error | undefined;
  #grace: NodeJS.Timeout | undefined;
  #ending: "return" | "destroy" | undefined;
  #onEnded: (() => void)[] = [];

  /** @param settings what the session is told before anything else */
  constructor(pool: FailoverPool, settings: readonly Statement[], listener: CheckoutListener) {
    this.#pool = pool;
    this.#settings = settings;
    this.#listener = listener;
  }

  /** How many settings each of its sessions begins with. */
  get settings(): number {
    return this.#settings.length;
  }

  get isIdle(): boolean {
    return !this.#isWorking;
  }

  get transactionStatus(): PoolSession["transactionStatus"] {
    return this.#session?.transactionStatus ?? "none";
  }

  /** Runs it after those that were given before. */
  add(task: CheckoutTask): void {
    if (!this.#isWorking) {
      this.#isWorking = true;
      this.#start(task, undefined);
    } else if (this.#queue.length < MAX_QUEUED) {
      this.#queue.push({ task, context: new AsyncResource("mirrorpool.query") });
    } else {
      process.nextTick(() => task.done(new QueueFullError("queries of one client", MAX_QUEUED), undefined));
    }
  }

  /** Runs what waits, one after the other. No async function: most clients are given back after one statement. */
  #next(): void {
    const entry = this.#queue.shift();
    if (entry !== undefined) {
      this.#start(entry.task, entry.context);
      return;
    }
    this.#isWorking = false;
    this.#listener.drained();
    if (this.#ending !== undefined) this.#release(this.#ending);
  }

  #start(task: CheckoutTask, context: AsyncResource | undefined): void {
    this.#current = task;
    const running = context === undefined ? this.#run(task) : context.runInAsyncScope(this.#run, this, task);
    running.then(
      (result) => this.#finish(task, context, undefined, result),
      (error: unknown) => this.#finish(task, context, error, undefined),
    );
  }

  #finish(task: CheckoutTask, context: AsyncResource | undefined, error: unknown, result: Result | undefined): void {
    this.#current = undefined;
    clearTimeout(this.#grace);
    if (context === undefined) task.done(error, result);
    else context.runInAsyncScope(task.done, task, error, result);
    if (this.#closed === task) this.#letGo();
    this.#next();
  }

  #run(task: CheckoutTask): Promise<Result> {
    this.#interrupted = undefined;
    const session = this.#session;
    return session === undefined ? this.#runFirst(task) : this.#runOn(session, task);
  }

  async #runFirst(task: CheckoutTask): Promise<Result> {
    const session = await this.#pool.connect();
    this.#session = session;
    if (this.#settings.length > 0 || this.#interrupted !== undefined) await this.#prepare(session, task.options);
    session.onLost((error) => this.#listener.lost(error));
    return this.#runOn(session, task);
  }

  #runOn(session: PoolSession, { statement, options }: CheckoutTask): Promise<Result> {
    this.#runs += 1;
    this.#hasStreamed ||= statement.channel !== undefined;
    return session.query(statement, undefined, options);
  }

  /** Nothing runs in a session that lacks a setting, such as its role: the statement fails, and the next one tries again. */
  async #prepare(session: PoolSession, options: StatementOptions): Promise<void> {
    try {
      if (this.#interrupted !== undefined) throw new AbortedError(this.#interrupted);
      for (const setting of this.#settings) await session.query(setting, undefined, options);
    } catch (error) {
      session.release();
      this.#session = undefined;
      throw error;
    }
  }

  /** Ends the statement that runs; those after it are not concerned. */
  interrupt(reason: string): void {
    this.#interrupted = new Error(reason);
    this.#session?.interrupt(this.#interrupted);
  }

  /** The application has closed the stream of this task, before its end or after it. */
  close(task: CheckoutTask): void {
    this.#closed = task;
    this.abandon(task);
    if (!this.#isWorking) this.#letGo();
  }

  /** A stream that was all that the session did leaves nothing on it: TypeORM keeps the client of one that is left early. */
  #letGo(): void {
    if (this.#runs !== 1 || this.#queue.length > 0 || this.transactionStatus !== "none") return;
    this.#session?.release();
    this.#session = undefined;
    this.#runs = 0;
  }

  /** Nobody reads from the stream of this task any more: its statement ends by itself, or is ended, or never begins. */
  abandon(task: CheckoutTask): void {
    const place = this.#queue.findIndex((entry) => entry.task === task);
    if (place >= 0) this.#queue.splice(place, 1);
    if (this.#current !== task) return;
    clearTimeout(this.#grace);
    this.#grace = setTimeout(() => {
      if (this.#current === task) this.interrupt("the stream was closed before its end");
    }, STREAM_GRACE_MS).unref();
  }

  /** Gives the session back where nothing is under way: it may be used again, for the next checkout. @returns whether that is so */
  giveBack(): boolean {
    if (this.#isWorking || this.#hasStreamed) return false;
    const session = this.#session;
    const isRenewed = session !== undefined && this.#settings.length === 0 && renew(session);
    if (!isRenewed) this.#release("return");
    this.#runs = 0;
    return true;
  }

  /** Gives the session back when what was begun has ended; with `destroy` that is ended at once. Resolves then. */
  end(how: "return" | "destroy"): Promise<void> {
    this.#ending = how;
    const ended = new Promise<void>((resolve) => this.#onEnded.push(resolve));
    if (!this.#isWorking) this.#release(how);
    else if (how === "destroy") this.#cut();
    else if (this.#current?.statement.channel !== undefined) this.abandon(this.#current);
    return ended;
  }

  #cut(): void {
    const reason = new Error("the client was released or ended with a statement under way");
    for (const { task } of this.#queue.splice(0)) process.nextTick(() => task.done(reason, undefined));
    this.interrupt(reason.message);
  }

  #release(how: "return" | "destroy"): void {
    this.#session?.release(how);
    this.#session = undefined;
    for (const resolve of this.#onEnded.splice(0)) resolve();
  }
}
