/** A part of a text, its end not included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A text that is read from its beginning to its end; what the lexers of all dialects have in common. */
export class Text {
  readonly sql: string;
  /** Where the next character stands. */
  at = 0;

  constructor(sql: string) {
    this.sql = sql;
  }

  get isOver(): boolean {
    return this.at >= this.sql.length;
  }

  /** The character that stands so many after the next one; empty behind the end. */
  peek(distance: number = 0): string {
    return this.sql.charAt(this.at + distance);
  }

  startsWith(piece: string): boolean {
    return this.sql.startsWith(piece, this.at);
  }

  /** What a sticky pattern finds at the present place; goes behind it. */
  match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.sql)?.[0];
    if (found !== undefined) this.at = pattern.lastIndex;
    return found;
  }

  /** Goes to the next character that a global pattern finds, or to the end. */
  skipTo(pattern: RegExp): void {
    pattern.lastIndex = this.at;
    this.at = pattern.exec(this.sql)?.index ?? this.sql.length;
  }

  /** What stands between this quote, at the present place, and its partner; a doubled one is a part of it. Undefined without an end. */
  quoted(quote: string): string | undefined {
    const start = this.at + 1;
    let end = this.sql.indexOf(quote, start);
    let isDoubled = false;
    while (end >= 0 && this.sql.charAt(end + 1) === quote) {
      isDoubled = true;
      end = this.sql.indexOf(quote, end + 2);
    }
    if (end < 0) return undefined;
    this.at = end + 1;
    const text = this.sql.slice(start, end);
    return isDoubled ? text.replaceAll(quote + quote, quote) : text;
  }

  /** Whether an odd run of backslashes stands before a place. */
  isEscaped(at: number): boolean {
    let start = at;
    while (this.sql.charAt(start - 1) === "\\") start -= 1;
    return (at - start) % 2 === 1;
  }
}

/** Folds ASCII only, as servers do with keywords; `toLowerCase` alone would make a `k` of the Kelvin sign. */
export function fold(word: string): string {
  return /[\u0080-\uffff]/.test(word) ? word.replace(/[A-Z]+/g, (part) => part.toLowerCase()) : word.toLowerCase();
}
