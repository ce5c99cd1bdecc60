import { createHash, type Hash, hash } from "node:crypto";
import { Writable } from "node:stream";

const WORDS = 4;
const NEWLINE = 0x0a;

/**
 * Digests rows whatever their order: the sum of their hashes. Two lots of rows with the same digest are the same rows, as often each.
 */
export class RowDigest {
  readonly #sums = new Uint32Array(WORDS);
  rows = 0;

  add(row: Buffer): void {
    this.addHash(hash("sha256", row, "buffer"));
  }

  addHash(digest: Buffer): void {
    for (let word = 0; word < WORDS; word += 1) {
      this.#sums[word] = (this.#sums[word] ?? 0) + digest.readUInt32LE(4 * word); // wraps around, as it should
    }
    this.rows += 1;
  }

  /** Of all its rows, as text. */
  toString(): string {
    return `${this.rows} rows, ${[...this.#sums].map((word) => word.toString(16).padStart(8, "0")).join("")}`;
  }
}

/** Cuts what COPY writes into rows, and digests them. A row of any length is hashed as it comes. */
export class RowDigester extends Writable {
  readonly #digest: RowDigest;
  #begun: Hash | undefined;

  constructor(digest: RowDigest) {
    super({ highWaterMark: 1 << 18 });
    this.#digest = digest;
  }

  override _write(part: Buffer, _: BufferEncoding, done: (error?: Error) => void): void {
    let start = 0;
    for (let end = part.indexOf(NEWLINE); end >= 0; end = part.indexOf(NEWLINE, start)) {
      const row = part.subarray(start, end);
      if (this.#begun === undefined) this.#digest.add(row);
      else this.#digest.addHash(this.#begun.update(row).digest());
      this.#begun = undefined;
      start = end + 1;
    }
    if (start < part.length) this.#begun = (this.#begun ?? createHash("sha256")).update(part.subarray(start));
    done();
  }
}
