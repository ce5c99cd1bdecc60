import { Readable } from "node:stream";
import { BATCH_BYTES, SpareBatches } from "./spare-batches.ts";

/** Takes rows as they come, at its own pace. */
interface RowTaker {
  /** It is done with the bytes once `write` has returned. */
  readonly isCopying: true;
  /** False: wait for `onDrain` before the next ones. */
  write(bytes: Uint8Array): boolean;
  onDrain(listener: () => void): void;
}

/** The rows of one statement, as bytes. */
export interface RowSource {
  /** Resolves with the number of rows when all were handed over. */
  pour(taker: RowTaker, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<number>;
}

/** Puts what comes in small pieces together to batches. */
export interface Batcher {
  /** False: rather not more now. */
  take(bytes: Uint8Array): boolean;
  /** Gives out what there is. */
  flush(): boolean;
}

/** How a batcher is made: what takes its batches, and what has room for the next one. */
export type MakeBatcher = (give: (batch: Buffer) => boolean, fresh: () => Buffer) => Batcher;

/** The rows of a statement as a stream. How many they are is known once it has ended. */
export class RowContent extends Readable implements RowTaker {
  readonly isCopying = true;
  readonly #source: RowSource;
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #batcher: Batcher;
  readonly #spare: SpareBatches;
  #drained: () => void = () => {};
  #isBegun = false;
  #isOver = false;
  rows = 0;

  constructor(source: RowSource, batch: MakeBatcher, signal: AbortSignal, spare: SpareBatches = new SpareBatches()) {
    super({ highWaterMark: 2 * BATCH_BYTES });
    this.#source = source;
    this.#batcher = batch(
      (content) => this.push(content),
      () => spare.take(),
    );
    this.#spare = spare;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  override _read(): void {
    if (this.#isBegun) this.#drained();
    else this.#begin();
  }

  #begin(): void {
    this.#isBegun = true;
    this.#source
      .pour(this, () => {}, this.#signal)
      .then(
        (rows) => {
          this.rows = rows;
          this.#isOver = true;
          this.#batcher.flush();
          this.push(null);
        },
        (error: unknown) => this.destroy(error as Error),
      );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (!this.#isOver) this.#stop.abort(error); // what is still to come goes nowhere
    done(error);
  }

  write(bytes: Uint8Array): boolean {
    return this.#batcher.take(bytes);
  }

  /** Nobody needs a batch any more. */
  recycle(batch: Buffer): void {
    this.#spare.give(batch);
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }
}
