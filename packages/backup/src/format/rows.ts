import { Writable } from "node:stream";
import type { RowForm } from "./manifest.ts";

/** Cuts what COPY writes into rows, in pieces that may be cut anywhere. */
interface RowCutter {
  /** @param give a piece of a row, and whether the row ends with it */
  cut(part: Buffer, give: (piece: Buffer, isEnd: boolean) => void): void;
}

const createRowCutter = (form: RowForm): RowCutter => (form === "binary" ? new BinaryRows() : new TextRows());

const NEWLINE = 0x0a;

/** One row a line: COPY writes newlines inside of values otherwise. */
class TextRows implements RowCutter {
  cut(part: Buffer, give: (piece: Buffer, isEnd: boolean) => void): void {
    let start = 0;
    for (let end = part.indexOf(NEWLINE); end >= 0; end = part.indexOf(NEWLINE, start)) {
      give(part.subarray(start, end), true);
      start = end + 1;
    }
    if (start < part.length) give(part.subarray(start), false);
  }
}

/** Signature, flags. */
const HEAD_BYTES = 15;
const COUNT_BYTES = 2;
const LENGTH_BYTES = 4;
/** -1 in place of a number of fields. */
const NO_MORE_ROWS = 0xffff;

/** What is read at the moment: fixed bytes, or a number and what for. */
type Step = "head" | "extension" | "count" | "length" | "value" | "end";

/**
 * The binary form: a head (the length of its extension, which PostgreSQL leaves empty, is the last of it), then of each row the number of its fields, and of each field its length (-1: null) and so many bytes.
 * @see https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4
 */
class BinaryRows implements RowCutter {
  #step: Step = "head";
  /** Of the step, still to come. */
  #left = HEAD_BYTES;
  #number = 0;
  #fields = 0;

  cut(part: Buffer, give: (piece: Buffer, isEnd: boolean) => void): void {
    let start = 0;
    for (let at = 0; at < part.length && this.#step !== "end"; ) {
      const isNumber = this.#step !== "head" && this.#step !== "value";
      if (isNumber) this.#number = (this.#number << 8) | (part[at] as number);
      const count = isNumber ? 1 : Math.min(this.#left, part.length - at);
      this.#left -= count;
      at += count;
      if (this.#left > 0) continue;
      const wasHead = this.#step === "extension";
      this.#next();
      if (this.#step !== "count") continue;
      if (!wasHead) give(part.subarray(start, at), true);
      start = at;
    }
    const isInRow = this.#step === "count" || this.#step === "length" || this.#step === "value";
    if (isInRow && start < part.length) give(part.subarray(start), false);
  }

  #next(): void {
    const [step, number] = [this.#step, this.#number];
    this.#number = 0;
    if (step === "count") this.#fields = number;
    if (step === "length") this.#fields -= 1;
    if (step === "head") this.#enter("extension", LENGTH_BYTES);
    else if (step === "extension") this.#enter("count", COUNT_BYTES);
    else if (step === "count" && number === NO_MORE_ROWS) this.#enter("end", 0);
    else if (step === "length" && number > 0) this.#enter("value", number);
    else if (this.#fields > 0) this.#enter("length", LENGTH_BYTES);
    else this.#enter("count", COUNT_BYTES);
  }

  #enter(step: Step, bytes: number): void {
    this.#step = step;
    this.#left = bytes;
  }
}

/** Takes what COPY writes, and hands it out row by row: each in one piece or several. */
export class RowReader extends Writable {
  readonly #cutter: RowCutter;
  readonly #give: (piece: Buffer, isEnd: boolean) => void;

  constructor(form: RowForm, give: (piece: Buffer, isEnd: boolean) => void) {
    super({ highWaterMark: 1 << 18 });
    this.#cutter = createRowCutter(form);
    this.#give = give;
  }

  override _write(part: Buffer, _: BufferEncoding, done: () => void): void {
    this.#cutter.cut(part, this.#give);
    done();
  }
}

/** Counts rows. */
export class RowCounter extends RowReader {
  count = 0;

  constructor(form: RowForm) {
    super(form, (_, isEnd) => {
      if (isEnd) this.count += 1;
    });
  }
}
