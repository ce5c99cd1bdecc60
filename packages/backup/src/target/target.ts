import { setTimeout as sleep } from "node:timers/promises";
import { type FailoverPool, NoPrimaryError, type ReservedConnection, ReservedLostError } from "@mirrorpool/core";
import type { StepDialect } from "../dialect.ts";
import { BackupError } from "../errors.ts";
import { withSignal } from "../with-signal.ts";

const MAX_LOSSES = 20;
const RETRY_MS = 200;

/** What a step does in its transaction. */
export type Work = (connection: ReservedConnection, signal: AbortSignal | undefined) => Promise<void>;

/** One of the steps of a transaction. */
export interface Step {
  readonly name: string;
  /** What it is about, for errors. */
  readonly subject: string;
  readonly work: Work;
}

/**
 * The database that is restored into: each step of the work is done in one transaction, and has its row in it. A row that is there says that
 * the step is done, whatever became of the connection, and none is done twice.
 */
export class Target {
  readonly pool: FailoverPool;
  readonly #steps: StepDialect;
  readonly #idle: ReservedConnection[] = [];

  constructor(pool: FailoverPool, { steps }: { readonly steps: StepDialect }) {
    this.pool = pool;
    this.#steps = steps;
  }

  /**
   * Runs a step unless it is done. A connection that is lost, also in its COMMIT, is replaced: the row tells.
   * @param subject what it is about, for errors
   */
  step(name: string, subject: string, signal: AbortSignal | undefined, work: Work): Promise<void> {
    return this.steps([{ name, subject, work }], signal);
  }

  /**
   * Steps in one transaction, each unless it is done.
   * @param first runs before them
   */
  async steps(steps: readonly Step[], signal: AbortSignal | undefined, first?: Work): Promise<void> {
    const subject =
      steps.length === 1 ? (steps[0]?.subject ?? "") : `${steps[0]?.subject} and ${steps.length - 1} more`;
    await this.#persist(signal, async (connection) => {
      await this.#steps.begin(connection);
      await first?.(connection, signal);
      for (const step of steps) {
        if (!(await this.#steps.claim(connection, step.name))) continue;
        await this.#refused(step.subject, () => step.work(connection, signal));
      }
      if (!(await this.#steps.commit(connection)))
        throw new BackupError("REFUSED", `${subject}: the transaction was rolled back`, { subject });
    });
  }

  /**
   * A step of statements that end a transaction, which may be done again as long as it is not noted: what is there already is none of
   * their errors.
   */
  async repeatable(name: string, subject: string, signal: AbortSignal | undefined, work: Work): Promise<void> {
    await this.#persist(signal, async (connection) => {
      const { begin, claim, commit } = this.#steps;
      await begin(connection);
      const isOpen = await claim(connection, name);
      await connection.query("ROLLBACK");
      if (!isOpen) return;
      await this.#refused(subject, () => work(connection, signal));
      await begin(connection);
      await claim(connection, name);
      await commit(connection);
    });
  }

  /** One statement that only asks, or that may be run twice. */
  async ask<Row>(text: string, values: readonly unknown[], signal: AbortSignal | undefined): Promise<readonly Row[]> {
    return this.#persist(signal, async (connection) => (await connection.query<Row>(text, values, FOREVER)).rows);
  }

  /** Work on one connection that only asks, or that may be done twice. */
  on<T>(signal: AbortSignal | undefined, work: (connection: ReservedConnection) => Promise<T>): Promise<T> {
    return this.#persist(signal, work);
  }

  /** One transaction that leaves nothing where it fails. */
  async transaction(subject: string, signal: AbortSignal | undefined, work: Work): Promise<void> {
    await this.#persist(signal, async (connection) => {
      await this.#steps.begin(connection);
      await this.#refused(subject, () => work(connection, signal));
      await this.#steps.commit(connection);
    });
  }

  async #persist<T>(signal: AbortSignal | undefined, work: (connection: ReservedConnection) => Promise<T>): Promise<T> {
    for (let losses = 0; ; losses += 1) {
      let connection: ReservedConnection | undefined;
      const stop = (): void => connection?.release();
      signal?.addEventListener("abort", stop, { once: true });
      try {
        connection = await this.#take(signal);
        const answer = await work(connection);
        this.#idle.push(connection);
        return answer;
      } catch (error) {
        connection?.release();
        signal?.throwIfAborted();
        if (!this.#isLoss(error)) throw error;
        if (losses >= MAX_LOSSES)
          throw new BackupError("TARGET_LOST", `the target was lost ${losses + 1} times; begin again to go on`, {
            cause: error,
            retryable: true,
          });
        await sleep(RETRY_MS, undefined, withSignal(signal));
      } finally {
        signal?.removeEventListener("abort", stop);
      }
    }
  }

  async #take(signal: AbortSignal | undefined): Promise<ReservedConnection> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) if (idle.isOpen) return idle;
    const connection = await this.pool.reserve({ on: "primary", ...withSignal(signal) });
    try {
      await this.#steps.prepare(connection, signal);
      return connection;
    } catch (error) {
      connection.release();
      throw error;
    }
  }

  /** What the database refuses, with what it is about. */
  async #refused(subject: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (cause) {
      if (cause instanceof BackupError || cause instanceof ReservedLostError) throw cause;
      if (cause instanceof Error && cause.name === "AbortError") throw cause;
      throw new BackupError("REFUSED", `${subject}: ${this.#steps.messageOf(cause)}`, { cause, subject });
    }
  }

  #isLoss(error: unknown): boolean {
    if (error instanceof ReservedLostError || error instanceof NoPrimaryError) return true;
    const cause = error instanceof BackupError ? error.cause : error;
    return cause instanceof ReservedLostError || this.#steps.isLoss(cause);
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.release();
  }
}

/** An index may take hours: such a step ends by the signal. */
const FOREVER = { timeoutMs: Number.POSITIVE_INFINITY } as const;
