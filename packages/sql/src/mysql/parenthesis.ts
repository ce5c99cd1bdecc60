import { isListHead, isQueryStart, type ParenthesisKind, startOfQualified } from "../parenthesis.ts";
import type { Place } from "../read.ts";
import { isIdentifier, isWord } from "../token.ts";
import { PRIMARY_FUNCTIONS, READ_FUNCTIONS } from "./functions.ts";
import { CONSTRUCTS, NEVER_FUNCTIONS } from "./keywords.ts";

/**
 * The kind of the parenthesis that opens here, or `undefined` if it may be the call of a function that has effects.
 *
 * @param isAdjacent whether it follows at once. Behind space the name of a built-in function may stand for one of the user
 */
export function parenthesisKind(place: Place, isAdjacent: boolean): ParenthesisKind | undefined {
  const { tokens, index, inWithList, closed } = place;
  if (isQueryStart(tokens, index + 1)) return "query";

  const name = tokens[index - 1];
  // what a client writes in the place of a parameter, or of a string that is a name in another mode
  if (name?.kind === "parameter" || name?.kind === "variable" || name?.kind === "string") return undefined;
  if (!isIdentifier(name)) return "list";

  const before = tokens[startOfQualified(tokens, index - 1) - 1];
  if (tokens[index - 2]?.kind === ".") return undefined;
  if (isWord(before, "as")) return "list"; // CAST(x AS DATETIME(6)), AS t(a, b)
  if (inWithList && isListHead(before)) return "list"; // WITH t(a, b) AS
  // after a call or a subquery comes no call but an alias with columns, OVER, AGAINST and so on
  if (before?.kind === ")" && closed !== "list") return "list";
  if (name.kind === "name") return undefined;
  if (CONSTRUCTS.has(name.text)) return "call";
  if (NEVER_FUNCTIONS.has(name.text)) return "list";
  if (isClause(place)) return "list";
  if (!isHarmless(name.text)) return undefined;
  return isAdjacent ? "call" : undefined;
}

function isHarmless(name: string): boolean {
  return READ_FUNCTIONS.has(name) || PRIMARY_FUNCTIONS.has(name);
}

/** Words that can be functions, where the words before them say that they are not. */
function isClause({ tokens, index }: Place): boolean {
  const [before, name] = [tokens[index - 2], tokens[index - 1]];
  if (isWord(name, "of")) return isWord(before, "member");
  if (isWord(name, "row")) return tokens[index - 2]?.kind === "," || isWord(before, "values", "in", "select", "where");
  return false;
}
