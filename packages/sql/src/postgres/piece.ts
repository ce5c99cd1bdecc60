import type { Token } from "../token.ts";
import type { Span } from "./lex.ts";

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
