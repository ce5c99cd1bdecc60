import { lex } from "./lex.ts";
import { split } from "./split.ts";

/**
 * The statements of a text as they stand in it, without what is between them; a backslash in a plain string is taken for what it is
 * with `standard_conforming_strings = on`. Answers `undefined` for what cannot be cut with certainty: send it whole.
 */
export function splitText(sql: string): readonly string[] | undefined {
  const lexed = lex(sql);
  if (lexed === undefined) return undefined;
  const { spans } = lexed;
  // the same token may stand in several places
  const placed = lexed.tokens.map((token, place) => ({ ...token, place }));
  return split(placed).map((tokens) => {
    const first = spans[tokens[0]?.place ?? 0];
    const last = spans[tokens.at(-1)?.place ?? 0];
    return sql.slice(first?.start, last?.end);
  });
}
