import { setTimeout as sleep } from "node:timers/promises";
import { type FailoverPool, NoPrimaryError, type ReservedConnection, ReservedLostError } from "@mirrorpool/core";
import { BackupError, messageOf } from "../errors.ts";
import { applySettings, withSignal } from "../source/settings.ts";

/** Where a restore keeps what it has done; it goes with the last step. A target that has it holds an unfinished restore. */
export const MARK = "mirrorpool_restore";

const MAX_LOSSES = 20;
const RETRY_MS = 200;

/** What a step does in its transaction. */
export type Work = (connection: ReservedConnection, signal: AbortSignal | undefined) => Promise<void>;

/**
 * The database that is restored into: each step of the work is one transaction, and has its row in it. A row that is there says that
 * the step is done, whatever became of the connection, and none is done twice.
 */
export class Target {
  readonly pool: FailoverPool;
  readonly #idle: ReservedConnection[] = [];

  constructor(pool: FailoverPool) {
    this.pool = pool;
  }

  /**
   * Runs a step unless it is done. A connection that is lost, also in its COMMIT, is replaced: the row tells.
   * @param subject what it is about, for errors
   */
  async step(name: string, subject: string, signal: AbortSignal | undefined, work: Work): Promise<"done" | "was done"> {
    return this.#persist(signal, async (connection) => {
      await connection.query("BEGIN");
      // first: it waits while a lost connection's transaction is still open on the server, and learns how that ended
      const claimed = await connection.query(
        `INSERT INTO ${MARK}.step (name) VALUES ($1) ON CONFLICT DO NOTHING`,
        [name],
        FOREVER,
      );
      if (claimed.rowCount === 0) {
        await connection.query("ROLLBACK");
        return "was done";
      }
      await refused(subject, () => work(connection, signal));
      const { command } = await connection.query("COMMIT", [], FOREVER);
      if (command !== "COMMIT")
        throw new BackupError("REFUSED", `${subject}: the transaction was rolled back`, { subject });
      return "done";
    });
  }

  /** One statement that only asks, or that may be run twice. */
  async ask<Row>(text: string, values: readonly unknown[], signal: AbortSignal | undefined): Promise<readonly Row[]> {
    return this.#persist(signal, async (connection) => (await connection.query<Row>(text, values, FOREVER)).rows);
  }

  /** One transaction that leaves nothing where it fails. */
  async transaction(subject: string, signal: AbortSignal | undefined, work: Work): Promise<void> {
    await this.#persist(signal, async (connection) => {
      await connection.query("BEGIN");
      await refused(subject, () => work(connection, signal));
      await connection.query("COMMIT", [], FOREVER);
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
        if (!isLoss(error)) throw error;
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
      await applySettings(connection, signal);
      return connection;
    } catch (error) {
      connection.release();
      throw error;
    }
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.release();
  }
}

/** An index may take hours: such a step ends by the signal. */
const FOREVER = { timeoutMs: Number.POSITIVE_INFINITY } as const;

/** Read-only: the primary is being demoted, or the node is a mirror again. */
const LOSSES = new Set(["25006", "57P01", "57P02", "57P03", "40001", "40P01"]);

function isLoss(error: unknown): boolean {
  if (error instanceof ReservedLostError || error instanceof NoPrimaryError) return true;
  const cause = error instanceof BackupError ? error.cause : error;
  if (cause instanceof ReservedLostError) return true;
  return LOSSES.has(String((cause as { readonly code?: unknown } | null | undefined)?.code));
}

/** What the database refuses, with what it is about. Its own message names columns and constraints, and no values. */
async function refused(subject: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (cause) {
    if (cause instanceof BackupError || cause instanceof ReservedLostError) throw cause;
    if (cause instanceof Error && cause.name === "AbortError") throw cause;
    throw new BackupError("REFUSED", `${subject}: ${messageOf(cause)}`, { cause, subject });
  }
}
