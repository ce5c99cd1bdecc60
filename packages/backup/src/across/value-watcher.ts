import { Writable } from "node:stream";
import { endOf } from "./line-converter.ts";

const TAB = 0x09;

/** So much of a value is looked at: what other systems bound is shorter. */
const MOST_BYTES = 64 * 1024 ** 2;

/** Takes lines of COPY's text format, and shows the values of some columns; those that are NULL are not shown. */
export class ValueWatcher extends Writable {
  readonly #watched: readonly (((text: string) => void) | undefined)[];
  #column = 0;
  #held: Buffer[] = [];
  #bytes = 0;

  /** @param watched of the columns, in their order: what is shown their values */
  constructor(watched: readonly (((text: string) => void) | undefined)[]) {
    super({ highWaterMark: 1 << 20 });
    this.#watched = watched;
  }

  override _write(piece: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    for (let at = 0; at < piece.length; ) {
      const watch = this.#watched[this.#column];
      const end = endOf(piece, at);
      if (watch !== undefined && this.#bytes < MOST_BYTES) {
        // the piece goes on to be somebody else's
        this.#held.push(end < piece.length ? piece.subarray(at, end) : Buffer.from(piece.subarray(at, end)));
        this.#bytes += end - at;
      }
      if (end >= piece.length) break;
      if (watch !== undefined) this.#show(watch);
      this.#column = piece[end] === TAB ? this.#column + 1 : 0;
      at = end + 1;
    }
    done();
  }

  #show(watch: (text: string) => void): void {
    const [only] = this.#held;
    const text = (this.#held.length === 1 && only !== undefined ? only : Buffer.concat(this.#held)).toString("utf8");
    this.#held = [];
    this.#bytes = 0;
    if (text !== "\\N") watch(text);
  }
}
