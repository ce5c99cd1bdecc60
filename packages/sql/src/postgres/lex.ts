import type { Token } from "../token.ts";

/** The tokens of a text, without comments and space. */
export interface Lexed {
  readonly tokens: readonly Token[];
  /** Where each token begins and ends in the text. */
  readonly spans: readonly Span[];
  /**
   * Whether a server with `standard_conforming_strings = off` would cut the text into the same tokens. It would not
   * when a plain string has a backslash that, taken as an escape, swallows a quote: `'C:\'`.
   */
  readonly certain: boolean;
}

/** A part of a text, its end not included. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts a text into tokens as PostgreSQL's scanner does (src/backend/parser/scan.l).
 * Answers `undefined` for what it cannot cut with certainty: an unterminated literal or comment, a NUL, a character
 * that belongs to no token, and identifiers with Unicode escapes (`U&"…"`), whose meaning depends on what follows.
 */
export function lex(sql: string): Lexed | undefined {
  if (sql.includes("\0")) return undefined;
  const lexer = new Lexer(sql);
  const tokens: Token[] = [];
  const spans: Span[] = [];
  while (lexer.skipSpace()) {
    const start = lexer.at;
    const token = lexer.next();
    if (token === undefined) return undefined;
    tokens.push(token);
    spans.push({ start, end: lexer.at });
  }
  return lexer.failed ? undefined : { tokens, spans, certain: lexer.certain };
}

// Any character above ASCII belongs to identifiers, no-break spaces and lone surrogates included.
const WORD = /[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y;
const NUMBER =
  /0[xX](?:_?[\dA-Fa-f])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:\d(?:_?\d)*(?:\.(?!\.)(?:\d(?:_?\d)*)?)?|\.\d(?:_?\d)*)(?:[eE][+-]?\d(?:_?\d)*)?/y;
const PARAMETER = /\$\d+/y;
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y;
const QUOTE_PREFIX = /(?:[EeBbXxNn]|[Uu]&)'/y;
const LINE_END = /[\n\r]/g;
const SPACE = " \t\n\r\f\v";
const OPERATOR = "~!@#^&|`?+-*/%<>=";
const DIGITS = "0123456789";

const STRING: Token = { kind: "string" };
const NUMERAL: Token = { kind: "number" };
const PLACEHOLDER: Token = { kind: "parameter" };
const OPERATION: Token = { kind: "operator" };
const CAST: Token = { kind: "::" };
const PUNCTUATION: ReadonlyMap<string, Token> = new Map<string, Token>([
  ["(", { kind: "(" }],
  [")", { kind: ")" }],
  [",", { kind: "," }],
  [";", { kind: ";" }],
  [".", { kind: "." }],
  ["[", OPERATION],
  ["]", OPERATION],
  [":", OPERATION],
]);

class Lexer {
  /** False once a string was met that the server might cut differently. */
  certain = true;
  /** True once a comment was met that does not end. */
  failed = false;

  readonly #sql: string;
  #at = 0;

  constructor(sql: string) {
    this.#sql = sql;
  }

  get at(): number {
    return this.#at;
  }

  /** Moves past space and comments; tells whether a token follows. */
  skipSpace(): boolean {
    while (this.#at < this.#sql.length) {
      if (SPACE.includes(this.#char())) this.#at += 1;
      else if (this.#sql.startsWith("--", this.#at)) this.#skipLine();
      else if (this.#sql.startsWith("/*", this.#at)) this.#skipBlockComment();
      else return true;
    }
    return false;
  }

  /** The token at the present place, or `undefined` when there is none that is certain. */
  next(): Token | undefined {
    const char = this.#char();
    if (char === "'") return this.#string(this.#at, false);
    if (char === '"') return this.#quotedName();
    if (char === "$") return this.#dollar();

    const after = this.#sql.charAt(this.#at + 1);
    if (after === "'" || after === "&") {
      const prefix = this.#match(QUOTE_PREFIX);
      if (prefix !== undefined) return this.#string(this.#at - 1, prefix === "E'" || prefix === "e'");
    }
    const word = this.#match(WORD);
    if (word !== undefined) return this.#word(word);
    if (DIGITS.includes(char) || (char === "." && after !== "" && DIGITS.includes(after))) return this.#number();
    if (OPERATOR.includes(char)) return this.#operator();
    return this.#punctuation(char, after);
  }

  #char(): string {
    return this.#sql.charAt(this.#at);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#sql)?.[0];
    if (found !== undefined) this.#at = pattern.lastIndex;
    return found;
  }

  #skipLine(): void {
    LINE_END.lastIndex = this.#at;
    this.#at = LINE_END.exec(this.#sql)?.index ?? this.#sql.length;
  }

  /** Block comments nest. */
  #skipBlockComment(): void {
    let depth = 0;
    do {
      if (this.#sql.startsWith("/*", this.#at)) {
        depth += 1;
        this.#at += 2;
      } else if (this.#sql.startsWith("*/", this.#at)) {
        depth -= 1;
        this.#at += 2;
      } else {
        this.#at += 1;
      }
    } while (depth > 0 && this.#at < this.#sql.length);
    this.failed = depth > 0;
  }

  #word(word: string): Token | undefined {
    const quoted = this.#sql.startsWith('&"', this.#at) && (word === "U" || word === "u");
    return quoted ? undefined : { kind: "word", text: fold(word) };
  }

  #quotedName(): Token | undefined {
    const start = this.#at + 1;
    let end = this.#sql.indexOf('"', start);
    let doubled = false;
    while (end >= 0 && this.#sql.charAt(end + 1) === '"') {
      doubled = true;
      end = this.#sql.indexOf('"', end + 2);
    }
    if (end < 0) return undefined;
    this.#at = end + 1;
    const text = this.#sql.slice(start, end);
    return { kind: "name", text: doubled ? text.replaceAll('""', '"') : text };
  }

  /** A string that opens at `quote`. With `escapes`, a backslash takes the next character with it. */
  #string(quote: number, escapes: boolean): Token | undefined {
    let from = quote + 1;
    for (;;) {
      const end = this.#sql.indexOf("'", from);
      if (end < 0) return undefined;
      const escaped = this.#isEscaped(end);
      if (escaped && escapes) {
        from = end + 1;
        continue;
      }
      if (escaped) this.certain = false;
      if (this.#sql.charAt(end + 1) === "'") {
        from = end + 2;
        continue;
      }
      this.#at = end + 1;
      const continued = this.#continuation();
      if (continued === undefined) return STRING;
      from = continued + 1;
    }
  }

  /** Whether an odd run of backslashes stands before this place. */
  #isEscaped(at: number): boolean {
    let start = at;
    while (this.#sql.charAt(start - 1) === "\\") start -= 1;
    return (at - start) % 2 === 1;
  }

  /** A string goes on, in the same mode, after space with a line end in it: where its next part opens, if so. */
  #continuation(): number | undefined {
    const end = this.#at;
    let lineEnded = false;
    while (this.#at < this.#sql.length) {
      const char = this.#char();
      if (char === "\n" || char === "\r") lineEnded = true;
      if (SPACE.includes(char)) this.#at += 1;
      else if (this.#sql.startsWith("--", this.#at)) this.#skipLine();
      else break;
    }
    if (lineEnded && this.#char() === "'") return this.#at;
    this.#at = end;
    return undefined;
  }

  #dollar(): Token | undefined {
    if (this.#match(PARAMETER) !== undefined) return PLACEHOLDER;
    const delimiter = this.#match(DOLLAR_QUOTE);
    if (delimiter === undefined) return undefined;
    const end = this.#sql.indexOf(delimiter, this.#at);
    if (end < 0) return undefined;
    this.#at = end + delimiter.length;
    return STRING;
  }

  #number(): Token {
    this.#match(NUMBER);
    return NUMERAL;
  }

  #punctuation(char: string, after: string): Token | undefined {
    if (char === after && (char === ":" || char === ".")) {
      this.#at += 2;
      return char === ":" ? CAST : OPERATION;
    }
    this.#at += 1;
    return PUNCTUATION.get(char);
  }

  /** An operator ends where a comment begins, even amid its characters. */
  #operator(): Token {
    do {
      this.#at += 1;
    } while (this.#at < this.#sql.length && OPERATOR.includes(this.#char()) && !this.#commentBegins());
    return OPERATION;
  }

  #commentBegins(): boolean {
    return this.#sql.startsWith("--", this.#at) || this.#sql.startsWith("/*", this.#at);
  }
}

/** PostgreSQL folds ASCII only; `toLowerCase` alone would make a `k` of the Kelvin sign. */
function fold(word: string): string {
  return /[\u0080-\uffff]/.test(word) ? word.replace(/[A-Z]+/g, (part) => part.toLowerCase()) : word.toLowerCase();
}
