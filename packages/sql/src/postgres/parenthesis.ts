import { isListHead, isQueryStart, type ParenthesisKind, startOfQualified } from "../parenthesis.ts";
import type { Place } from "../read.ts";
import { isIdentifier, isWord, type Token } from "../token.ts";
import { PRIMARY_FUNCTIONS, READ_FUNCTIONS } from "./functions.ts";
import { isConstruct, isNeverFunction } from "./keywords.ts";

/** The kind of the parenthesis that opens here, or `undefined` if it may be the call of a function that has effects. */
export function parenthesisKind({ tokens, index, inWithList, closed }: Place): ParenthesisKind | undefined {
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
