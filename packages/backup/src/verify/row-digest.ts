import { createHash, type Hash, hash } from "node:crypto";
import type { RowForm } from "../format/manifest.ts";
import { RowReader } from "../format/rows.ts";

const WORDS = 4;

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
export function createRowDigester(form: RowForm, digest: RowDigest): RowReader {
  let begun: Hash | undefined;
  return new RowReader(form, (piece, isEnd) => {
    if (!isEnd) begun = (begun ?? createHash("sha256")).update(piece);
    else if (begun === undefined) digest.add(piece);
    else digest.addHash(begun.update(piece).digest());
    if (isEnd) begun = undefined;
  });
}
