/** So much at a time goes on: each step of a compressor is a hop to another thread and back. */
export const BATCH_BYTES: number = 1 << 20;

/** So many are kept: a few for each of the usual number of connections. */
const MOST_KEPT = 8;

/**
 * Batches whose rows are written, for the next rows. Without that each would wait for the garbage collector, which runs for every dozen MB
 * that are outside of its heap, and takes a third of the time.
 */
export class SpareBatches {
  readonly #kept: Buffer[] = [];

  take(): Buffer {
    return this.#kept.pop() ?? Buffer.allocUnsafeSlow(BATCH_BYTES);
  }

  /** Nobody needs it, or what it is a part of, any more. */
  give({ buffer }: Buffer): void {
    if (this.#kept.length < MOST_KEPT && buffer instanceof ArrayBuffer && buffer.byteLength === BATCH_BYTES)
      this.#kept.push(Buffer.from(buffer));
  }
}
