import type { Token } from "./token.ts";

/** Tokens an outline covers: what tells one command from another comes sooner than that. */
export const OUTLINE_LENGTH = 16;

const SIGNS: Readonly<Partial<Record<Token["kind"], string>>> = {
  name: '""',
  string: "''",
  number: "0",
  parameter: "$",
  operator: "@",
};

/**
 * The beginning of a statement as a line to match patterns against: words as they are, one sign for every other token,
 * a space between all of them and at the end.
 */
export function outline(tokens: readonly Token[]): string {
  return tokens
    .slice(0, OUTLINE_LENGTH)
    .map((token) => `${token.kind === "word" ? token.text : (SIGNS[token.kind] ?? token.kind)} `)
    .join("");
}
