import { isIdentifier, isWord, type Token } from "./token.ts";

/**
 * What an opening parenthesis is: the beginning of a subquery, of the arguments of a function or of something built
 * like one (`COALESCE(…)`, `SUBSTRING(… FOR …)`), or of any other list.
 */
export type ParenthesisKind = "query" | "call" | "list";

/** Whether a query, with all that may come before its `SELECT`, begins at this place. */
export function isQueryStart(tokens: readonly Token[], index: number): boolean {
  const token = tokens[index];
  // VALUES can also be the name of a column, and then no parenthesis follows
  return isWord(token, "select", "with", "table") || (isWord(token, "values") && tokens[index + 1]?.kind === "(");
}

/** Whether what comes next in a `WITH` list is the name of a query. */
export function isListHead(before: Token | undefined): boolean {
  return before?.kind === "," || isWord(before, "with", "recursive");
}

/**
 * Whether a parenthesis, if it stands in a `WITH` list, is the end of it: the query that the list serves may itself
 * stand in parentheses, with clauses after them.
 */
export function endsWithList(tokens: readonly Token[], index: number): boolean {
  const previous = tokens[index - 1];
  if (isWord(previous, "as", "materialized")) return false;
  return !(isIdentifier(previous) && isListHead(tokens[index - 2]));
}

/** Where a name begins that may be qualified: the place of `a` in `a.b.c`, given that of `c`. */
export function startOfQualified(tokens: readonly Token[], index: number): number {
  let start = index;
  while (tokens[start - 1]?.kind === "." && isIdentifier(tokens[start - 2])) start -= 2;
  return start;
}

/** A query may stand in parentheses. */
export function withoutOpening(tokens: readonly Token[]): readonly Token[] {
  const start = tokens.findIndex((token) => token.kind !== "(");
  return start > 0 ? tokens.slice(start) : tokens;
}
