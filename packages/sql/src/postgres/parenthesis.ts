import { isIdentifier, isWord, type Token } from "../token.ts";
import { PRIMARY_FUNCTIONS, READ_FUNCTIONS } from "./functions.ts";
import { isConstruct, isNeverFunction } from "./keywords.ts";

/**
 * What an opening parenthesis is: the beginning of a subquery, of the arguments of a function or of something built
 * like one (`COALESCE(…)`, `SUBSTRING(… FOR …)`), or of any other list.
 */
export type ParenthesisKind = "query" | "call" | "list";

/**
 * The kind of the parenthesis that opens at `index`, or `undefined` if it may be the call of a function that has effects.
 *
 * @param inWithList whether it stands between a `WITH` and the query that it serves
 * @param closed the kind of the parenthesis that was closed last before it
 */
export function parenthesisKind(
  tokens: readonly Token[],
  index: number,
  inWithList: boolean,
  closed: ParenthesisKind,
): ParenthesisKind | undefined {
  // A function cannot take a query as it is, only one in parentheses of its own.
  if (isQueryStart(tokens, index + 1)) return "query";

  const name = tokens[index - 1];
  if (!isIdentifier(name)) return "list";

  const before = tokens[startOfQualified(tokens, index - 1) - 1];
  if (before?.kind === "::" || isWord(before, "as")) return "list"; // x::numeric(4, 2), FROM … AS t(a, b)
  // other methods come with extensions
  if (isWord(before, "tablesample")) {
    return tokens[index - 2]?.kind !== "." && isWord(name, "system", "bernoulli") ? "call" : undefined;
  }
  if (tokens[index - 2]?.kind === ".") return isReadOfCatalog(tokens, index) ? "call" : undefined;
  if (inWithList && isListHead(before)) return "list"; // WITH t(a, b) AS
  // After a call or a subquery comes no call but an alias with columns, OVER, FILTER, LIKE and so on. OPERATOR(…) is no
  // exception, but a call may follow it.
  if (before?.kind === ")" && closed !== "list" && !isWord(name, "operator")) {
    return isWord(name, "filter") ? "call" : "list";
  }
  if (name.kind === "name") return undefined;
  if (isNeverFunction(name.text)) return isConstruct(name.text) ? "call" : "list";
  if (isClause(name.text, before, tokens[index - 3])) return "list";
  return isHarmless(name.text) ? "call" : undefined;
}

function isHarmless(name: string): boolean {
  return READ_FUNCTIONS.has(name) || PRIMARY_FUNCTIONS.has(name);
}

/** Where a name begins that may be qualified: the place of `a` in `a.b.c`, given that of `c`. */
function startOfQualified(tokens: readonly Token[], index: number): number {
  let start = index;
  while (tokens[start - 1]?.kind === "." && isIdentifier(tokens[start - 2])) start -= 2;
  return start;
}

/** Whether `pg_catalog.name(` opens at `index`, with a name that is known to be harmless. */
function isReadOfCatalog(tokens: readonly Token[], index: number): boolean {
  const name = tokens[index - 1];
  const schema = tokens[index - 3];
  return (
    name?.kind === "word" &&
    isHarmless(name.text) &&
    isIdentifier(schema) &&
    schema.text === "pg_catalog" &&
    tokens[index - 4]?.kind !== "."
  );
}

/** Words that can be functions, where the words before them say that they are not. */
function isClause(word: string, before: Token | undefined, beforeThat: Token | undefined): boolean {
  switch (word) {
    case "by":
      return isWord(before, "group", "order", "partition");
    case "rollup":
    case "cube":
      return isWord(before, "by") && isWord(beforeThat, "group");
    case "sets":
      return isWord(before, "grouping");
    case "join":
      return isWord(before, "inner", "left", "right", "full", "outer", "cross", "natural");
    case "varying":
      return isWord(before, "character", "char", "bit");
    default:
      return false;
  }
}

/** Whether a query, with all that may come before its `SELECT`, begins at this place. */
export function isQueryStart(tokens: readonly Token[], index: number): boolean {
  const token = tokens[index];
  // VALUES can also be the name of a column, and then no parenthesis follows
  return isWord(token, "select", "with", "table") || (isWord(token, "values") && tokens[index + 1]?.kind === "(");
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

/** Whether what comes next in a `WITH` list is the name of a query. */
function isListHead(before: Token | undefined): boolean {
  return before?.kind === "," || isWord(before, "with", "recursive");
}
