const BACKSLASH = 0x5c;
const LETTER_F = 0x66;
const LETTER_V = 0x76;
const FORM_FEED = 0x0c;
const VERTICAL_TAB = 0x0b;

/**
 * COPY's text as LOAD DATA understands it: that knows no `\f` and no `\v`, and takes the characters themselves. Piece by piece; an
 * escape may begin in one and end in the next.
 */
export class LoadText {
  #held = false;

  /** The piece that was given, changed in place where it can be. */
  take(given: Uint8Array): Buffer {
    let piece = Buffer.from(given.buffer, given.byteOffset, given.byteLength);
    if (this.#held) piece = Buffer.concat([Buffer.of(BACKSLASH), piece]);
    this.#held = false;
    let from = piece.indexOf(BACKSLASH);
    if (from < 0) return piece;
    let to = from;
    for (;;) {
      if (from + 1 >= piece.length) {
        this.#held = true;
        return piece.subarray(0, to);
      }
      const letter = piece[from + 1] as number;
      if (letter === LETTER_F || letter === LETTER_V) {
        piece[to] = letter === LETTER_F ? FORM_FEED : VERTICAL_TAB;
        to += 1;
      } else {
        piece[to] = BACKSLASH;
        piece[to + 1] = letter;
        to += 2;
      }
      from += 2;
      const next = piece.indexOf(BACKSLASH, from);
      const end = next < 0 ? piece.length : next;
      if (to !== from) piece.copyWithin(to, from, end);
      to += end - from;
      from = end;
      if (next < 0) return piece.subarray(0, to);
    }
  }
}
