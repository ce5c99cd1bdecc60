import type { Lexed } from "./lexed.ts";
import type { Span } from "./text.ts";
import type { Token } from "./token.ts";

/** One statement of a text, and where its tokens stand. */
export interface Piece {
  readonly sql: string;
  readonly tokens: readonly Token[];
  readonly spans: readonly Span[];
}

/** The text of some of a piece's tokens, with what is between them. */
export function textOf({ sql, spans }: Piece, from: number = 0, to: number = spans.length): string {
  return sql.slice(spans[from]?.start, spans[to - 1]?.end);
}

/** Some of a piece's tokens. */
export function partOf({ sql, tokens, spans }: Piece, from: number, to?: number): Piece {
  return { sql, tokens: tokens.slice(from, to), spans: spans.slice(from, to) };
}

/** The statements of a text with their places, given their tokens. */
export function piecesOf(
  sql: string,
  { tokens, spans }: Lexed,
  statements: readonly (readonly Token[])[],
): readonly Piece[] {
  let at = 0;
  return statements.map((statement) => {
    while (tokens[at]?.kind === ";") at += 1;
    const piece = { sql, tokens: statement, spans: spans.slice(at, at + statement.length) };
    at += statement.length;
    return piece;
  });
}
