import type { Batcher } from "../stream/row-content.ts";
import { BATCH_BYTES } from "../stream/spare-batches.ts";

/** Puts pieces together to batches. */
export class Batches implements Batcher {
  readonly #give: (batch: Buffer) => boolean;
  readonly #fresh: () => Buffer;
  #batch: Buffer = Buffer.alloc(0);
  #filled = 0;

  /**
   * @param give false: rather not more now
   * @param fresh room for the next batch
   */
  constructor(give: (batch: Buffer) => boolean, fresh: () => Buffer) {
    this.#give = give;
    this.#fresh = fresh;
  }

  take(piece: Uint8Array): boolean {
    let isWelcome = true;
    if (this.#filled + piece.length > this.#batch.length) isWelcome = this.flush();
    if (piece.length > BATCH_BYTES) return this.#give(Buffer.from(piece)) && isWelcome;
    if (this.#batch.length === 0) this.#batch = this.#fresh();
    this.#batch.set(piece, this.#filled);
    this.#filled += piece.length;
    return isWelcome;
  }

  flush(): boolean {
    if (this.#filled === 0) return true;
    const batch = this.#batch.subarray(0, this.#filled);
    this.#batch = Buffer.alloc(0);
    this.#filled = 0;
    return this.#give(batch);
  }
}
