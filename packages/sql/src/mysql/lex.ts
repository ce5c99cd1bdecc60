import type { Lexed } from "../lexed.ts";
import { fold, type Span, Text } from "../text.ts";
import type { Token } from "../token.ts";
import type { Modes } from "./sql-mode.ts";

/** How a text is read. */
export interface Reading {
  readonly modes: Modes;
  /** Whether the content of comments counts that only some servers execute: `/*!80000 … *\/`, `/*M! … *\/`. */
  readonly isConditionMet: boolean;
}

export interface MysqlLexed extends Lexed {
  /** The text has comments that only some servers execute. */
  readonly isConditional: boolean;
}

/**
 * Cuts a text into tokens as the scanners of MySQL and MariaDB do (sql/sql_lex.cc). Answers `undefined` for what it cannot cut
 * with certainty: an unterminated literal or comment, a NUL, a character that belongs to no token. It is not certain where
 * a backslash swallows a quote, or would in another mode; where the modes are known they decide.
 */
export function lex(sql: string, reading: Reading): MysqlLexed | undefined {
  if (sql.includes("\0")) return undefined;
  const text = new Text(sql);
  const lexer = new Lexer(text, reading);
  const tokens: Token[] = [];
  const spans: Span[] = [];
  while (lexer.skipSpace()) {
    const start = text.at;
    const token = lexer.next();
    if (token === undefined) return undefined;
    tokens.push(token);
    spans.push({ start, end: text.at });
  }
  if (lexer.failed || lexer.isInComment) return undefined;
  return { tokens, spans, certain: lexer.certain, isConditional: lexer.isConditional };
}

const WORD = /[\w$\u0080-\uffff]+/y;
const LITERAL_NUMBER = /(?:0x[\dA-Fa-f]+|0b[01]+|\d+)(?![\w$\u0080-\uffff])/y;
const DECIMAL = /\d+[eE][+-]?\d+|(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const VARIABLE = /@[\w.$\u0080-\uffff]*/y;
const QUOTED_VARIABLE = /@(?=['"`])/y;
const PREFIXED_STRING = /[xXbBnN](?=')/y;
const EXECUTABLE = /\/\*M?!(?:\d{5,6})?/y;
/** MySQL since 5.7 and MariaDB execute what is meant for these versions. */
const EXECUTED_BY_ALL = /^\/\*!(?:[0-4]\d{4}|50[0-6]\d{2})?$/;
const LINE_COMMENT = /#|--(?=[\0- \x7f]|$)/y;
const LINE_END = /\n/g;
const SPACE = " \t\n\r\f\v";
const OPERATOR = "~!^&|*+-/%<>=:{}";
const DIGITS = "0123456789";

const STRING: Token = { kind: "string" };
const NUMERAL: Token = { kind: "number" };
const OPERATION: Token = { kind: "operator" };
const USER_VARIABLE: Token = { kind: "variable" };
const PUNCTUATION: ReadonlyMap<string, Token> = new Map<string, Token>([
  ["(", { kind: "(" }],
  [")", { kind: ")" }],
  [",", { kind: "," }],
  [";", { kind: ";" }],
  [".", { kind: "." }],
  ["?", { kind: "parameter" }],
]);

class Lexer {
  /** False once something was met that a server in another mode, or of another kind, might cut differently. */
  certain = true;
  /** True once a comment was met that does not end. */
  failed = false;
  isConditional = false;
  /** Whether we are in a comment whose content counts. */
  isInComment = false;

  readonly #text: Text;
  readonly #reading: Reading;
  /** Behind a word and its dot comes a name, whatever it begins with. */
  #isNameNext = false;

  constructor(text: Text, reading: Reading) {
    this.#text = text;
    this.#reading = reading;
  }

  /** Moves past space and comments; tells whether a token follows. */
  skipSpace(): boolean {
    while (!this.#text.isOver) {
      if (SPACE.includes(this.#text.peek())) this.#text.at += 1;
      else if (this.#text.match(LINE_COMMENT) !== undefined) this.#text.skipTo(LINE_END);
      else if (this.#text.startsWith("/*")) this.#blockComment();
      else if (this.isInComment && this.#text.startsWith("*/")) this.#leaveComment();
      else return true;
      this.#isNameNext = false;
    }
    return false;
  }

  /** The token at the present place, or `undefined` when there is none that is certain. */
  next(): Token | undefined {
    const isNameNext = this.#isNameNext;
    this.#isNameNext = false;
    const char = this.#text.peek();
    if (char === "'") return this.#string("'") ? STRING : undefined;
    if (char === '"') return this.#doubleQuoted();
    if (char === "`") return this.#name("`");
    if (char === "@") return this.#variable();
    const isNumber = DIGITS.includes(char) || (char === "." && isDigit(this.#text.peek(1)));
    if (isNumber && !isNameNext && this.#number()) return NUMERAL;
    if (!isNameNext && this.#text.match(PREFIXED_STRING) !== undefined) return this.#string("'") ? STRING : undefined;
    const word = this.#text.match(WORD);
    if (word !== undefined) return this.#word(word);
    if (OPERATOR.includes(char)) return this.#operator(char);
    this.#text.at += 1;
    if (char === ".") this.#isNameNext = isNameNext;
    return PUNCTUATION.get(char);
  }

  #blockComment(): void {
    const start = this.#text.at;
    const opening = this.#text.match(EXECUTABLE);
    if (opening === undefined) {
      this.#text.at += 2;
      this.#skipComment(this.#text.peek() === "+");
      return;
    }
    const isForAll = EXECUTED_BY_ALL.test(opening);
    if (!isForAll) {
      this.isConditional = true;
      this.certain = false;
    }
    if (isForAll || this.#reading.isConditionMet) this.isInComment = true;
    else this.#skipNested(start);
  }

  /** @param isHint MySQL takes quoted names in a hint as such, MariaDB takes it for a comment */
  #skipComment(isHint: boolean): void {
    const end = this.#text.sql.indexOf("*/", this.#text.at);
    if (end < 0) {
      this.failed = true;
      this.#text.at = this.#text.sql.length;
      return;
    }
    if (isHint && hasOddQuotes(this.#text.sql.slice(this.#text.at, end))) this.failed = true;
    this.#text.at = end + 2;
  }

  /** A comment that is not executed may have others in it, which have none. */
  #skipNested(start: number): void {
    this.#text.at = start + 2;
    for (;;) {
      const end = this.#text.sql.indexOf("*/", this.#text.at);
      const inner = this.#text.sql.indexOf("/*", this.#text.at);
      const isLast = inner < 0 || end < inner;
      this.#text.at = isLast ? this.#text.at : inner + 2;
      this.#skipComment(false);
      if (isLast || this.failed) return;
    }
  }

  #leaveComment(): void {
    this.isInComment = false;
    this.#text.at += 2;
  }

  #word(word: string): Token {
    this.#isNameNext = this.#text.peek() === ".";
    return { kind: "word", text: fold(word) };
  }

  #name(quote: string): Token | undefined {
    const text = this.#text.quoted(quote);
    return text === undefined ? undefined : { kind: "name", text };
  }

  /** Where it is not known what it is, it is taken for a name: what names may do, strings may not. */
  #doubleQuoted(): Token | undefined {
    const { ansiQuotes } = this.#reading.modes;
    const start = this.#text.at;
    if (ansiQuotes !== false) {
      const name = this.#name('"');
      if (name === undefined || ansiQuotes === true) return name;
      const end = this.#text.at;
      this.#text.at = start;
      const isString = this.#string('"');
      if (isString && this.#text.at === end) return name;
      this.certain = false;
      return isString ? STRING : undefined;
    }
    return this.#string('"') ? STRING : undefined;
  }

  /** Goes behind a string that opens here. @returns false where it has no end */
  #string(quote: string): boolean {
    const { noBackslashEscapes } = this.#reading.modes;
    let from = this.#text.at + 1;
    for (;;) {
      const end = this.#text.sql.indexOf(quote, from);
      if (end < 0) return false;
      const isEscaped = noBackslashEscapes !== true && this.#text.isEscaped(end);
      if (isEscaped) {
        if (noBackslashEscapes === undefined) this.certain = false;
        from = end + 1;
      } else if (this.#text.sql.charAt(end + 1) === quote) {
        from = end + 2;
      } else {
        this.#text.at = end + 1;
        return true;
      }
    }
  }

  #variable(): Token | undefined {
    if (this.#text.startsWith("@@")) {
      this.#text.at += 2;
      return { kind: "@@" };
    }
    if (this.#text.match(QUOTED_VARIABLE) === undefined) {
      this.#text.match(VARIABLE);
      return USER_VARIABLE;
    }
    const quote = this.#text.peek();
    const isThere = quote === "`" ? this.#text.quoted(quote) !== undefined : this.#string(quote);
    return isThere ? USER_VARIABLE : undefined;
  }

  #number(): boolean {
    return this.#text.match(DECIMAL) !== undefined || this.#text.match(LITERAL_NUMBER) !== undefined;
  }

  /** Signs are cut one by one: what they are together never matters, but for the one that assigns. */
  #operator(char: string): Token {
    this.#text.at += 1;
    if (char !== ":" || this.#text.peek() !== "=") return OPERATION;
    this.#text.at += 1;
    return { kind: ":=" };
  }
}

function isDigit(char: string): boolean {
  return char !== "" && DIGITS.includes(char);
}

function hasOddQuotes(content: string): boolean {
  return ["'", '"', "`"].some((quote) => content.split(quote).length % 2 === 0);
}
