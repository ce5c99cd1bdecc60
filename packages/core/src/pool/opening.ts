import type { Environment } from "../clock.ts";
import type { Connection, Fault } from "../driver.ts";
import { jittered } from "../jittered.ts";
import { ConnectFailure } from "./connect-failure.ts";
import type { PooledConnection } from "./lease.ts";

/** What a node's pool needs from outside: how to open and check a connection, and what an error means. */
export interface ConnectionSource {
  open(signal: AbortSignal): Promise<Connection>;
  /** Rejects when the connection does not answer in time, or leads elsewhere than the node's address. */
  check(pooled: PooledConnection): Promise<void>;
  classify(error: unknown): Fault;
  /** Has the server of a connection asked to give up what runs on it, also when the connection is gone. */
  cancel(connection: Connection): void;
}

/** How long connections live. */
export interface Lifetime {
  readonly lifetimeMs: number;
  readonly lifetimeJitter: number;
}

/** What an opening resolves to when it failed: generic-pool would call a `create` that rejects again without end. */
export interface FailedOpening {
  readonly error: unknown;
}
export type Opened = PooledConnection | FailedOpening;

export const isFailed = (opened: Opened): opened is FailedOpening => "error" in opened;

const FIRST_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 1000;

/** Opens the connections of one node: after a failure not again before a while, which doubles with each one. */
export class Opening {
  readonly #lifetime: Lifetime;
  readonly #source: ConnectionSource;
  readonly #environment: Environment;
  /** Aborted, and replaced, when the node is cut: an opening that is under way would lead to the lost server. */
  #attempts = new AbortController();
  #failures = 0;
  #notBefore = 0;
  #lastFailure: ConnectFailure | undefined;
  #opened = 0;
  #failed = 0;

  constructor(lifetime: Lifetime, source: ConnectionSource, environment: Environment) {
    this.#lifetime = lifetime;
    this.#source = source;
    this.#environment = environment;
  }

  get opened(): number {
    return this.#opened;
  }

  get failed(): number {
    return this.#failed;
  }

  /** Why the last attempt failed; undefined after one that did not. */
  get lastFailure(): ConnectFailure | undefined {
    return this.#lastFailure;
  }

  get isAllowed(): boolean {
    return this.#notBefore <= this.#environment.now();
  }

  get allowedInMs(): number {
    return this.#notBefore - this.#environment.now();
  }

  /** Never rejects. */
  async open(): Promise<Opened> {
    const { signal } = this.#attempts;
    try {
      const connection = await this.#source.open(signal);
      if (signal.aborted) {
        connection.destroy();
        throw signal.reason;
      }
      this.#opened += 1;
      this.forgive();
      const openedAt = this.#environment.now();
      const lifetime = jittered(this.#lifetime.lifetimeMs, this.#lifetime.lifetimeJitter, this.#environment.random());
      return { connection, openedAt, expiresAt: openedAt + lifetime, idleSince: openedAt, state: undefined };
    } catch (error) {
      this.#failed += 1;
      const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures);
      this.#failures += 1;
      this.#notBefore = this.#environment.now() + jittered(backoff, 0.5, this.#environment.random());
      this.#lastFailure =
        error instanceof ConnectFailure ? error : new ConnectFailure(this.#source.classify(error), error);
      return { error };
    }
  }

  /** Ends what is under way. */
  cut(reason: unknown): void {
    this.#attempts.abort(reason);
    this.#attempts = new AbortController();
  }

  /** What failed before says nothing any more. */
  forgive(): void {
    this.#failures = 0;
    this.#notBefore = 0;
    this.#lastFailure = undefined;
  }
}
