import type { Environment } from "./clock.ts";
import type { Deadline, Deadlines } from "./deadlines.ts";
import { AbortedError } from "./errors.ts";

/** What a caller may say for one call. */
export interface CallOptions {
  /** Milliseconds for the whole call, waiting included. Default: `timeouts.statementMs`. */
  readonly timeoutMs?: number;
  /** Ends the call early; it then rejects with an `AbortedError`, or a `CommitUnknownError` where a write was under way. */
  readonly signal?: AbortSignal;
}

/** One call's patience: a deadline on the environment's clock, and perhaps a signal. Every wait below it ends by these. */
export class Call {
  readonly startedAt: number;
  readonly deadline: number;
  readonly signal: AbortSignal | undefined;
  readonly #environment: Environment;
  readonly #deadlines: Deadlines;

  constructor(environment: Environment, deadlines: Deadlines, timeoutMs: number, signal: AbortSignal | undefined) {
    this.#environment = environment;
    this.#deadlines = deadlines;
    this.startedAt = environment.now();
    this.deadline = this.startedAt + timeoutMs;
    this.signal = signal;
  }

  get isOver(): boolean {
    return this.#environment.now() >= this.deadline;
  }

  /** @throws {AbortedError} once the signal has fired. */
  throwIfAborted(): void {
    if (this.signal?.aborted === true) throw new AbortedError(this.signal.reason);
  }

  /**
   * A promise that `register` settles, or that ends at the deadline or by the signal, whichever comes first.
   * @param limitMs an earlier end than the call's own, in milliseconds from now
   * @param onEnd gives the error to reject with, and undoes what `register` did
   */
  wait<T>(
    register: (resolve: (value: T) => void, reject: (error: unknown) => void) => void,
    onEnd: (cause: "deadline" | "limit" | "aborted") => unknown,
    limitMs: number = Number.POSITIVE_INFINITY,
  ): Promise<T> {
    const { signal } = this;
    return new Promise<T>((resolve, reject) => {
      let timer: Deadline | undefined;
      let isOver = false;
      const end = (): void => {
        isOver = true;
        timer?.clear();
        if (signal !== undefined) signal.removeEventListener("abort", onAbort);
      };
      const giveUp = (cause: "deadline" | "limit" | "aborted"): void => {
        end();
        reject(onEnd(cause));
      };
      const onAbort = (): void => giveUp("aborted");
      if (signal?.aborted === true) return giveUp("aborted");
      const limit = this.#environment.now() + limitMs;
      const isLimited = limit < this.deadline;
      timer = this.#deadlines.add(isLimited ? limit : this.deadline, () => giveUp(isLimited ? "limit" : "deadline"));
      signal?.addEventListener("abort", onAbort, { once: true });
      const settle =
        <V>(then: (value: V) => void) =>
        (value: V): void => {
          if (isOver) return;
          end();
          then(value);
        };
      try {
        register(settle(resolve), settle(reject));
      } catch (error) {
        end();
        reject(error);
      }
    });
  }

  /** Rests for a while, never past the deadline. */
  pause(delayMs: number): Promise<void> {
    return this.wait<void>(
      () => {},
      (cause) => (cause === "aborted" ? new AbortedError(this.signal?.reason) : PAUSE_OVER),
      delayMs,
    ).catch((error) => {
      if (error !== PAUSE_OVER) throw error;
    });
  }
}

const PAUSE_OVER = Symbol("the pause is over");
