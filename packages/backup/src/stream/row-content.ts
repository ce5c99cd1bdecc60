import { Readable } from "node:stream";

/** So much at a time goes on: each step of a compressor is a hop to another thread and back. */
export const BATCH_BYTES: number = 1 << 20;

/** Takes rows as they come, at its own pace. */
interface RowTaker {
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

/** The rows of a statement as a stream. How many they are is known once it has ended. */
export class RowContent extends Readable implements RowTaker {
  readonly #source: RowSource;
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #batcher: Batcher;
  #drained: () => void = () => {};
  #isBegun = false;
  rows = 0;

  /** @param batch makes a batcher of who takes its batches */
  constructor(source: RowSource, batch: (give: (batch: Buffer) => boolean) => Batcher, signal: AbortSignal) {
    super({ highWaterMark: 2 * BATCH_BYTES });
    this.#source = source;
    this.#batcher = batch((content) => this.push(content));
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
          this.#batcher.flush();
          this.push(null);
        },
        (error: unknown) => this.destroy(error as Error),
      );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stop.abort(error); // what is still to come goes nowhere
    done(error);
  }

  write(bytes: Uint8Array): boolean {
    return this.#batcher.take(bytes);
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }
}
