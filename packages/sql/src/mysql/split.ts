import { isIdentifier, isWord, type Token } from "../token.ts";

/**
 * The statements of a text; empty ones are left out. From the beginning of a routine, or of a block of MariaDB, all that follows
 * is one: where its body ends is not looked for.
 */
export function split(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const statements: (readonly Token[])[] = [];
  let start = 0;
  for (let index = 0; index < tokens.length; index += 1) {
    if (index === start && hasBody(tokens, start)) break;
    if (tokens[index]?.kind !== ";") continue;
    if (index > start) statements.push(tokens.slice(start, index));
    start = index + 1;
  }
  const last = tokens.slice(start, lastOf(tokens) + 1);
  if (last.length > 0) statements.push(last);
  return statements;
}

/** The place of the last token that is no semicolon. */
function lastOf(tokens: readonly Token[]): number {
  return tokens.findLastIndex(({ kind }) => kind !== ";");
}

/** Whether a statement begins here that may have others in it. */
function hasBody(tokens: readonly Token[], start: number): boolean {
  const first = tokens[start];
  if (isWord(first, "create", "alter")) return definesRoutine(tokens, start);
  if (isWord(first, "begin")) return isWord(tokens[start + 1], "not");
  // a label, or a block without one
  return isLabelled(tokens, start) || isWord(first, "if", "case", "loop", "while", "repeat", "for", "declare");
}

/** Of all that stands between `CREATE` and the kind of the object nothing is longer than `DEFINER = a@b IF NOT EXISTS`. */
const LONGEST_PREFIX = 16;

function definesRoutine(tokens: readonly Token[], start: number): boolean {
  for (const token of tokens.slice(start + 1, start + LONGEST_PREFIX)) {
    if (isWord(token, "procedure", "function", "trigger", "event", "package")) return true;
    if (token.kind === ";" || token.kind === "(" || isWord(token, "table", "view", "index", "user")) return false;
  }
  return false;
}

/** Whether a block of MariaDB begins here that has a label. */
export function isLabelled(tokens: readonly Token[], start: number): boolean {
  const blocks = ["begin", "loop", "while", "repeat", "for"];
  return isIdentifier(tokens[start]) && tokens[start + 1]?.kind === "operator" && isWord(tokens[start + 2], ...blocks);
}
