import type { Conversion } from "./conversion.ts";

const TAB = 0x09;
const NEWLINE = 0x0a;
/** What a value may become longer by, and more: room is asked for once a value. */
const SLACK = 1024;

/** Lines of COPY's text format with some columns' values in another form. Piece by piece, cut anywhere; what stays is not looked at. */
export class LineConverter {
  readonly #conversions: readonly (Conversion | undefined)[];
  #column = 0;
  /** Of a value that is converted, so far. */
  #held = "";
  #out: Buffer = Buffer.alloc(0);
  #filled = 0;

  /** @param conversions of the columns, in their order; undefined: they stay as they are */
  constructor(conversions: readonly (Conversion | undefined)[]) {
    this.#conversions = conversions;
  }

  convert(given: Uint8Array): Buffer {
    const piece = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    this.#out = Buffer.allocUnsafe(2 * piece.length + SLACK);
    this.#filled = 0;
    let from = 0;
    for (let at = 0; at < piece.length; ) {
      const conversion = this.#conversions[this.#column];
      const end = endOf(piece, at);
      if (conversion !== undefined) {
        this.#write(piece, from, at);
        from = end;
        this.#held += piece.toString("latin1", at, end);
        if (end < piece.length) this.#convert(conversion);
      }
      if (end >= piece.length) break;
      this.#column = piece[end] === TAB ? this.#column + 1 : 0;
      at = end + 1;
    }
    this.#write(piece, from, piece.length);
    const converted = this.#out.subarray(0, this.#filled);
    this.#out = Buffer.alloc(0);
    return converted;
  }

  #convert(conversion: Conversion): void {
    const text = this.#held === "\\N" ? "\\N" : (conversion(this.#held) ?? "\\N");
    this.#held = "";
    this.#ensure(text.length);
    this.#filled += this.#out.write(text, this.#filled, "latin1");
  }

  #write(piece: Buffer, from: number, to: number): void {
    if (from >= to) return;
    this.#ensure(to - from);
    this.#filled += piece.copy(this.#out, this.#filled, from, to);
  }

  #ensure(bytes: number): void {
    if (this.#filled + bytes <= this.#out.length) return;
    const larger = Buffer.allocUnsafe(2 * this.#out.length + bytes);
    this.#out.copy(larger, 0, 0, this.#filled);
    this.#out = larger;
  }
}

/** Where a value ends that goes on here: within, these bytes are escaped. */
export function endOf(piece: Buffer, from: number): number {
  let at = from;
  for (; at < piece.length; at += 1) {
    const byte = piece[at];
    if (byte === TAB || byte === NEWLINE) return at;
  }
  return at;
}
