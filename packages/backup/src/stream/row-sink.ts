import { Writable } from "node:stream";
import { letGo } from "./let-go.ts";

/** Where the rows of one statement go. */
export interface RowTarget {
  /** Resolves when bytes are welcome for the first time. */
  readonly ready: Promise<void>;
  /**
   * @param onSent is called when the bytes are needed no more, by those that can tell
   * @returns false: wait for `onDrain` before the next ones
   */
  write(bytes: Uint8Array, onSent?: () => void): boolean;
  onDrain(listener: () => void): void;
  /** All is there. Resolves with the rows that were written. */
  end(): Promise<number>;
  /** Cuts it off: nothing of it takes effect. */
  abort(): void;
  /** Rejects when the server refuses the rows, or is lost. */
  readonly failed: Promise<never>;
}

/** What a statement takes, as a stream. When it has finished its rows are there, and counted. */
export class RowSink extends Writable {
  readonly #open: () => RowTarget;
  #target: RowTarget | undefined;
  /** Of the write that waits. */
  #done: (() => void) | undefined;
  rows = 0;

  /** @param open begins the statement */
  constructor(open: () => RowTarget) {
    super({ highWaterMark: 1 << 18 });
    this.#open = open;
  }

  override _construct(done: (error?: Error | null) => void): void {
    const target = this.#open();
    this.#target = target;
    target.onDrain(() => this.#goOn());
    target.failed.catch((error: unknown) => this.destroy(error as Error));
    Promise.race([target.ready, target.failed]).then(() => done(), done);
  }

  override _write(part: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#done = done; // before: who takes it may be ready for more at once
    if (this.#target?.write(part, () => letGo(part)) !== false) this.#goOn();
  }

  /** Once for each write, however often there is said to be room. */
  #goOn(): void {
    const done = this.#done;
    this.#done = undefined;
    done?.();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#target?.end().then((rows) => {
      this.rows = rows;
      done();
    }, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    if (error !== null) this.#target?.abort();
    done(error);
  }
}
