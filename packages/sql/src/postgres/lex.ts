import type { Lexed } from "../lexed.ts";
import { fold, type Span, Text } from "../text.ts";
import type { Token } from "../token.ts";

/**
 * Cuts a text into tokens as PostgreSQL's scanner does (src/backend/parser/scan.l).
 * Answers `undefined` for what it cannot cut with certainty: an unterminated literal or comment, a NUL, a character
 * that belongs to no token, and identifiers with Unicode escapes (`U&"…"`), whose meaning depends on what follows.
 * It is not certain when a plain string has a backslash that, taken as an escape, swallows a quote: `'C:\'`. A server with
 * `standard_conforming_strings = off` would cut that otherwise.
 */
export function lex(sql: string): Lexed | undefined {
  if (sql.includes("\0")) return undefined;
  const text = new Text(sql);
  const lexer = new Lexer(text);
  const tokens: Token[] = [];
  const spans: Span[] = [];
  while (lexer.skipSpace()) {
    const start = text.at;
    const token = lexer.next();
    if (token === undefined) return undefined;
    tokens.push(token);
    spans.push({ start, end: text.at });
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

  readonly #text: Text;

  constructor(text: Text) {
    this.#text = text;
  }

  /** Moves past space and comments; tells whether a token follows. */
  skipSpace(): boolean {
    while (!this.#text.isOver) {
      if (SPACE.includes(this.#text.peek())) this.#text.at += 1;
      else if (this.#text.startsWith("--")) this.#text.skipTo(LINE_END);
      else if (this.#text.startsWith("/*")) this.#skipBlockComment();
      else return true;
    }
    return false;
  }

  /** The token at the present place, or `undefined` when there is none that is certain. */
  next(): Token | undefined {
    const char = this.#text.peek();
    if (char === "'") return this.#string(this.#text.at, false);
    if (char === '"') return this.#quotedName();
    if (char === "$") return this.#dollar();

    const after = this.#text.peek(1);
    if (after === "'" || after === "&") {
      const prefix = this.#text.match(QUOTE_PREFIX);
      if (prefix !== undefined) return this.#string(this.#text.at - 1, prefix === "E'" || prefix === "e'");
    }
    const word = this.#text.match(WORD);
    if (word !== undefined) return this.#word(word);
    if (DIGITS.includes(char) || (char === "." && after !== "" && DIGITS.includes(after))) return this.#number();
    if (OPERATOR.includes(char)) return this.#operator();
    return this.#punctuation(char, after);
  }

  /** Block comments nest. */
  #skipBlockComment(): void {
    let depth = 0;
    do {
      if (this.#text.startsWith("/*")) {
        depth += 1;
        this.#text.at += 2;
      } else if (this.#text.startsWith("*/")) {
        depth -= 1;
        this.#text.at += 2;
      } else {
        this.#text.at += 1;
      }
    } while (depth > 0 && !this.#text.isOver);
    this.failed = depth > 0;
  }

  #word(word: string): Token | undefined {
    const quoted = this.#text.startsWith('&"') && (word === "U" || word === "u");
    return quoted ? undefined : { kind: "word", text: fold(word) };
  }

  #quotedName(): Token | undefined {
    const text = this.#text.quoted('"');
    return text === undefined ? undefined : { kind: "name", text };
  }

  /** A string that opens at `quote`. With `escapes`, a backslash takes the next character with it. */
  #string(quote: number, escapes: boolean): Token | undefined {
    let from = quote + 1;
    for (;;) {
      const end = this.#text.sql.indexOf("'", from);
      if (end < 0) return undefined;
      const escaped = this.#text.isEscaped(end);
      if (escaped && escapes) {
        from = end + 1;
        continue;
      }
      if (escaped) this.certain = false;
      if (this.#text.sql.charAt(end + 1) === "'") {
        from = end + 2;
        continue;
      }
      this.#text.at = end + 1;
      const continued = this.#continuation();
      if (continued === undefined) return STRING;
      from = continued + 1;
    }
  }

  /** A string goes on, in the same mode, after space with a line end in it: where its next part opens, if so. */
  #continuation(): number | undefined {
    const end = this.#text.at;
    let lineEnded = false;
    while (!this.#text.isOver) {
      const char = this.#text.peek();
      if (char === "\n" || char === "\r") lineEnded = true;
      if (SPACE.includes(char)) this.#text.at += 1;
      else if (this.#text.startsWith("--")) this.#text.skipTo(LINE_END);
      else break;
    }
    if (lineEnded && this.#text.peek() === "'") return this.#text.at;
    this.#text.at = end;
    return undefined;
  }

  #dollar(): Token | undefined {
    if (this.#text.match(PARAMETER) !== undefined) return PLACEHOLDER;
    const delimiter = this.#text.match(DOLLAR_QUOTE);
    if (delimiter === undefined) return undefined;
    const end = this.#text.sql.indexOf(delimiter, this.#text.at);
    if (end < 0) return undefined;
    this.#text.at = end + delimiter.length;
    return STRING;
  }

  #number(): Token {
    this.#text.match(NUMBER);
    return NUMERAL;
  }

  #punctuation(char: string, after: string): Token | undefined {
    if (char === after && (char === ":" || char === ".")) {
      this.#text.at += 2;
      return char === ":" ? CAST : OPERATION;
    }
    this.#text.at += 1;
    return PUNCTUATION.get(char);
  }

  /** An operator ends where a comment begins, even amid its characters. */
  #operator(): Token {
    do {
      this.#text.at += 1;
    } while (!this.#text.isOver && OPERATOR.includes(this.#text.peek()) && !this.#commentBegins());
    return OPERATION;
  }

  #commentBegins(): boolean {
    return this.#text.startsWith("--") || this.#text.startsWith("/*");
  }
}
