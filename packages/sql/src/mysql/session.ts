import type { SessionEffect } from "../facts.ts";
import { isIdentifier, isWord, type Token } from "../token.ts";
import { PINNING_FUNCTIONS } from "./functions.ts";

/** What the expressions of a statement do to the session, beside what its command does. */
export function sessionEffect(tokens: readonly Token[]): SessionEffect {
  const isSet = isWord(tokens[0], "set");
  let depth = 0;
  for (const [index, token] of tokens.entries()) {
    if (token.kind === "(") depth += 1;
    if (token.kind === ")") depth -= 1;
    // in a SET it assigns like `=`; what stands deeper is an expression
    if (token.kind === ":=" && (!isSet || depth > 0)) return "pinned";
    if (isWord(token, "into") && hasVariable(tokens, index + 1)) return "pinned";
    if (isIdentifier(token) && tokens[index + 1]?.kind === "(" && PINNING_FUNCTIONS.has(token.text.toLowerCase())) {
      return "pinned";
    }
  }
  return "none";
}

/** Whether the list that begins here has a user variable in it: `INTO a, @b`. */
function hasVariable(tokens: readonly Token[], start: number): boolean {
  for (let index = start; ; index += 2) {
    if (tokens[index]?.kind === "variable") return true;
    if (tokens[index + 1]?.kind !== ",") return false;
  }
}
