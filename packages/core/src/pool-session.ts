import type { Timer } from "./clock.ts";
import type { Result, Statement } from "./driver.ts";
import type { SessionLostError } from "./errors.ts";
import { either, Interruption } from "./interruption.ts";
import type { SessionContext } from "./session/context.ts";
import type { StatementOptions } from "./session/demand.ts";
import { Session } from "./session/session.ts";
import { toComplete } from "./session/statement.ts";

/** A session on loan: statements run one after the other, on the primary from the first write on. */
export interface PoolSession extends AsyncDisposable {
  query<Row = Record<string, unknown>>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: StatementOptions,
  ): Promise<Result<Row>>;
  /** What the next statement will find: `failed` takes only a rollback. */
  readonly transactionStatus: "none" | "open" | "failed";
  /**
   * Calls back as soon as state that cannot move (LISTEN, an advisory lock) is lost with its connection; the next statement is
   * told as well. One listener.
   */
  onLost(listener: (error: SessionLostError) => void): void;
  /**
   * Ends the statements that were given until now, as a `signal` of theirs would: one that runs is cancelled on the very server
   * that runs it. Cheaper than a signal for each. Later statements are not concerned.
   * @param reason becomes the `cause` of their `AbortedError`
   */
  interrupt(reason: unknown): void;
  /**
   * Gives it back; an open transaction is rolled back. Idempotent.
   * @param how `destroy`: the connection is not to be used again, by anybody
   */
  release(how?: "return" | "destroy"): void;
}

/**
 * What `connect()` gives. A class, since ORMs take a session for each statement: of an object literal with a getter V8 makes a
 * hidden class each time, which keeps the session in memory until the next full collection.
 */
export class LentSession implements PoolSession {
  readonly #context: SessionContext;
  readonly #session: Session;
  readonly #leakTimer: Timer | undefined;
  #interruption = new Interruption();

  /** @param leakTimer fires when it is held for too long */
  constructor(context: SessionContext, leakTimer: Timer | undefined) {
    this.#context = context;
    this.#session = new Session(context);
    this.#leakTimer = leakTimer;
  }

  /** See {@link renew}. */
  renew(): boolean {
    return this.#leakTimer === undefined && this.#session.renew();
  }

  query<Row>(
    statement: string | Statement,
    values?: readonly unknown[],
    options: StatementOptions = {},
  ): Promise<Result<Row>> {
    try {
      const call = this.#context.createCall(options.timeoutMs, either(options.signal, this.#interruption));
      return this.#session.query(toComplete(this.#context.driver, statement, values), options, call) as Promise<
        Result<Row>
      >;
    } catch (error) {
      return Promise.reject(error); // what was given is refused
    }
  }

  get transactionStatus(): PoolSession["transactionStatus"] {
    return this.#session.transactionStatus;
  }

  onLost(listener: (error: SessionLostError) => void): void {
    this.#session.onLost(listener);
  }

  interrupt(reason: unknown): void {
    const interruption = this.#interruption;
    this.#interruption = new Interruption();
    interruption.fire(reason);
  }

  release(how?: "return" | "destroy"): void {
    this.#leakTimer?.cancel();
    this.#session.release(how);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
  }
}

/**
 * What a release and a new session would come to, for the one that has held it and goes on to: ORMs end a session with each
 * statement. Its `onLost` listener stays.
 * @returns false where it has to be released after all, because something of it is not over yet
 */
export function renew(session: PoolSession): boolean {
  return session instanceof LentSession && session.renew();
}
