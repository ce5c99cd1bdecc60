import { isWord, type Token } from "../token.ts";

/** What may stand before a parenthesis that is no call. */
const BEFORE_A_LIST = [
  ...["set", "where", "and", "or", "not", "in", "any", "all", "some", "exists", "between", "like", "ilike", "is"],
  ...["case", "when", "then", "else", "from", "using", "on", "returning", "select"],
];

/**
 * Whether it is an UPDATE or DELETE that calls no function and takes no default, and so moves no sequence: `lastval()` and `currval()`
 * would tell of that on its connection alone. Doubt means no.
 */
export function leavesNothing(tokens: readonly Token[]): boolean {
  if (!isWord(tokens[0], "update", "delete")) return false;
  return tokens.every((token, index) => {
    if (isWord(token, "default", "insert", "merge")) return false;
    if (token.kind !== "(") return true;
    const before = tokens[index - 1];
    const isName = before?.kind === "word" || before?.kind === "name";
    return !isName || isWord(before, ...BEFORE_A_LIST);
  });
}
