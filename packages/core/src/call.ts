import type { Environment } from "./clock.ts";
import { showValue } from "./config/rules.ts";
import type { Deadlines, Expiring } from "./deadlines.ts";
import { AbortedError, OptionsError } from "./errors.ts";
import type { CallSignal } from "./interruption.ts";

/** What a caller may say for one call. */
export interface CallOptions {
  /** Milliseconds for the whole call, waiting included. Default: `timeouts.statementMs`. */
  readonly timeoutMs?: number;
  /** Ends the call early; it then rejects with an `AbortedError`, or a `CommitUnknownError` where a write was under way. */
  readonly signal?: AbortSignal;
}

/** What is no number would be a deadline that never comes. @throws {OptionsError} */
export function checkTimeout(timeoutMs: number | undefined): number | undefined {
  if (timeoutMs === undefined || (typeof timeoutMs === "number" && timeoutMs >= 0)) return timeoutMs;
  throw new OptionsError("timeoutMs", "a number of milliseconds, 0 or more", showValue(timeoutMs));
}

/** One call's patience: a deadline on the environment's clock, and perhaps a signal. Every wait below it ends by these. */
export class Call {
  readonly startedAt: number;
  readonly deadline: number;
  readonly signal: CallSignal | undefined;
  readonly #environment: Environment;
  readonly #deadlines: Deadlines;

  constructor(environment: Environment, deadlines: Deadlines, timeoutMs: number, signal: CallSignal | undefined) {
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
    register: (resolve: (value: T | Promise<T>) => void, reject: (error: unknown) => void) => void,
    onEnd: (cause: Cause) => unknown,
    limitMs: number = Number.POSITIVE_INFINITY,
  ): Promise<T> {
    const { signal } = this;
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted === true) return reject(onEnd("aborted"));
      const limit = limitMs === Number.POSITIVE_INFINITY ? limitMs : this.#environment.now() + limitMs;
      const isLimited = limit < this.deadline;
      const patience = new Patience(this.#deadlines, signal, isLimited ? "limit" : "deadline", (cause) =>
        reject(onEnd(cause)),
      );
      patience.begin(isLimited ? limit : this.deadline);
      const fail = (error: unknown): void => {
        patience.end();
        reject(error);
      };
      try {
        register((value) => {
          patience.end();
          resolve(value);
        }, fail);
      } catch (error) {
        fail(error);
      }
    });
  }

  /**
   * What the work gives, or at the call's end the error of `onEnd`, whichever comes first. What {@link wait} would do as well;
   * every statement passes through here, and each closure less is seen in its costs.
   */
  guard<T>(work: Promise<T>, onEnd: (cause: Cause) => unknown): Promise<T> {
    const { signal } = this;
    return new Promise<T>((resolve, reject) => {
      if (signal?.aborted === true) return reject(onEnd("aborted"));
      const patience = new Patience(this.#deadlines, signal, "deadline", (cause) => reject(onEnd(cause)));
      patience.begin(this.deadline);
      work.then(
        (value) => {
          patience.end();
          resolve(value);
        },
        (error) => {
          patience.end();
          reject(error);
        },
      );
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

/** What ended a wait that nothing else did. */
export type Cause = "deadline" | "limit" | "aborted";

/** How long one wait may last. An object and not a closure for each of its parts: every statement makes some. */
class Patience implements Expiring {
  readonly #deadlines: Deadlines;
  readonly #signal: CallSignal | undefined;
  readonly #cause: "deadline" | "limit";
  readonly #giveUp: (cause: Cause) => void;
  #bucket = 0;
  place = 0;

  constructor(
    deadlines: Deadlines,
    signal: CallSignal | undefined,
    cause: "deadline" | "limit",
    giveUp: (cause: Cause) => void,
  ) {
    this.#deadlines = deadlines;
    this.#signal = signal;
    this.#cause = cause;
    this.#giveUp = giveUp;
  }

  begin(at: number): void {
    this.#bucket = this.#deadlines.add(at, this);
    this.#signal?.addEventListener("abort", this, { once: true });
  }

  end(): void {
    this.#deadlines.clear(this.#bucket, this);
    this.#signal?.removeEventListener("abort", this);
  }

  expire(): void {
    this.end();
    this.#giveUp(this.#cause);
  }

  /** The signal has fired. */
  handleEvent(): void {
    this.end();
    this.#giveUp("aborted");
  }
}

const PAUSE_OVER = Symbol("the pause is over");
