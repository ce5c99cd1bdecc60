import type { FailoverPool } from "@mirrorpool/core";
import type { JobState } from "../job-state.ts";
import { onPrimary, type Querier } from "../querier.ts";

/** How far the target is, kept there: it moves in the transactions that write what was followed. */
export class KeptPosition {
  readonly #to: FailoverPool;
  readonly #state: JobState;
  readonly #job: string;
  /** As the target has it. */
  #kept: string | null = null;

  constructor(to: FailoverPool, state: JobState, job: string) {
    this.#to = to;
    this.#state = state;
    this.#job = job;
  }

  /** Undefined where the job has not begun. */
  async load(): Promise<string | undefined> {
    const kept = await this.#state.loadPosition(onPrimary(this.#to), this.#job);
    this.#kept = kept ?? null;
    return kept;
  }

  /** Before a transaction in which it moves for the first time: some servers end one where a table is made. */
  async prepare(): Promise<void> {
    if (this.#kept === null) await this.#state.prepare(this.#to);
  }

  /** Moves it in an open transaction, which may still come to nothing. @throws {PositionMoved} */
  async move(on: Querier, position: string): Promise<void> {
    if (this.#kept === null) await this.#state.begin(on, this.#job, "follow", "{}");
    if (await this.#state.movePosition(on, this.#job, this.#kept, position)) return;
    throw new PositionMoved();
  }

  /** The transaction in which it moved is committed. */
  settle(position: string): void {
    this.#kept = position;
  }

  /** The target has another one: what was to be written is not for its state. */
  async hasMoved(): Promise<boolean> {
    return ((await this.#state.loadPosition(onPrimary(this.#to), this.#job)) ?? null) !== this.#kept;
  }

  /** Moves it in a transaction of its own. */
  async set(position: string, signal: AbortSignal): Promise<void> {
    await this.prepare();
    await this.#to.transaction((on) => this.move(on, position), { signal });
    this.settle(position);
  }
}

/** The target has lost the position in a failover, or another process has moved it: look again where it is. */
export class PositionMoved extends Error {
  override readonly name = "PositionMoved";
  constructor() {
    super("the target has another position than the one that was written last");
  }
}
