/**
 * A piece of SQL. Only words and names carry their text: the contents of literals never matter here, so they are
 * not copied out of the statement and cannot leak from it.
 */
export type Token =
  /** An unquoted identifier or keyword, folded to lower case. */
  | { readonly kind: "word"; readonly text: string }
  /** A quoted identifier, as it is meant (quotes taken off). */
  | { readonly kind: "name"; readonly text: string }
  /** A user variable of MySQL: `@a`, `` @`a` ``. */
  | { readonly kind: "variable" }
  /** What stands before the name of a system variable of MySQL. */
  | { readonly kind: "@@" }
  /** Everything else. `"operator"` is any operator or punctuation that has no kind of its own. */
  | { readonly kind: "string" | "number" | "parameter" | "operator" | "(" | ")" | "," | ";" | "." | "::" | ":=" };

/** Whether a token is there and is this unquoted word. */
export function isWord(token: Token | undefined, ...texts: readonly string[]): boolean {
  return token?.kind === "word" && texts.includes(token.text);
}

/** Whether a token is there and is an identifier, quoted or not. */
export function isIdentifier(token: Token | undefined): token is Extract<Token, { text: string }> {
  return token?.kind === "word" || token?.kind === "name";
}
