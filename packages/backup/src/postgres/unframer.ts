import type { Batcher } from "../stream/row-content.ts";

/** Code and length. */
const HEADER_BYTES = 5;
const LENGTH_BYTES = 4;

/** Puts the contents of CopyData messages together to batches. Messages may be cut anywhere, in their headers as well. */
export class Unframer implements Batcher {
  readonly #give: (batch: Buffer) => boolean;
  readonly #fresh: () => Buffer;
  #batch: Buffer = Buffer.alloc(0);
  #filled = 0;
  /** Of the present message, still to come. */
  #left = 0;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  #headerBytes = 0;

  /**
   * @param give false: rather not more now
   * @param fresh room for the next batch
   */
  constructor(give: (batch: Buffer) => boolean, fresh: () => Buffer) {
    this.#give = give;
    this.#fresh = fresh;
  }

  take(framed: Uint8Array): boolean {
    let isWelcome = true;
    for (let at = 0; at < framed.length; ) {
      if (this.#filled > 0 && this.#batch.length - this.#filled < framed.length - at)
        isWelcome = this.flush() && isWelcome;
      if (this.#batch.length === 0) this.#batch = this.#fresh();
      const count = Math.min(framed.length - at, this.#batch.length - this.#filled);
      this.#batch.set(framed.subarray(at, at + count), this.#filled);
      this.#filled = this.#closeUp(this.#filled, this.#filled + count);
      at += count;
    }
    return isWelcome;
  }

  /** Gives out what there is. */
  flush(): boolean {
    if (this.#filled === 0) return true;
    const batch = this.#batch.subarray(0, this.#filled);
    this.#batch = Buffer.alloc(0);
    this.#filled = 0;
    return this.#give(batch);
  }

  /**
   * Moves contents over the headers between them, within the batch: for rows, which are short, that takes half the time of copying
   * each one over from where it came.
   * @returns where they end now
   */
  #closeUp(begin: number, end: number): number {
    const batch = this.#batch;
    let to = begin;
    for (let at = begin; at < end; ) {
      if (this.#left > 0) {
        const count = Math.min(this.#left, end - at);
        if (to !== at) batch.copyWithin(to, at, at + count);
        to += count;
        at += count;
        this.#left -= count;
      } else if (this.#headerBytes === 0 && end - at >= HEADER_BYTES) {
        this.#left = batch.readUInt32BE(at + 1) - LENGTH_BYTES;
        at += HEADER_BYTES;
      } else {
        this.#header[this.#headerBytes] = batch[at] as number;
        this.#headerBytes += 1;
        at += 1;
        if (this.#headerBytes < HEADER_BYTES) continue;
        this.#headerBytes = 0;
        this.#left = this.#header.readUInt32BE(1) - LENGTH_BYTES;
      }
    }
    return to;
  }
}
