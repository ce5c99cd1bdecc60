import { isWord, type Token } from "../token.ts";

/**
 * The statements of a text; empty ones are left out. Semicolons inside parentheses (`CREATE RULE`) and in the body of an
 * SQL-standard routine (`BEGIN ATOMIC … END`) do not count.
 */
export function split<T extends Token>(tokens: readonly T[]): readonly (readonly T[])[] {
  const statements: (readonly T[])[] = [];
  let start = 0;
  let parentheses = 0;
  let body = 0;

  tokens.forEach((token, index) => {
    if (token.kind === "(") parentheses += 1;
    else if (token.kind === ")") parentheses -= 1;
    else if (token.kind === "word") body = bodyDepth(body, tokens, start, index);
    else if (token.kind === ";" && parentheses <= 0 && body === 0) {
      if (index > start) statements.push(tokens.slice(start, index));
      start = index + 1;
      parentheses = 0;
    }
  });
  if (tokens.length > start) statements.push(tokens.slice(start));
  return statements;
}

/** How deep in the body of a routine the word at `index` leaves us: `BEGIN ATOMIC … CASE … END … END` (psql counts so). */
function bodyDepth(depth: number, tokens: readonly Token[], start: number, index: number): number {
  const token = tokens[index];
  if (depth === 0) {
    const begins = isWord(token, "begin") && isWord(tokens[index + 1], "atomic") && createsRoutine(tokens, start);
    return begins ? 1 : 0;
  }
  const previous = tokens[index - 1];
  if (previous?.kind === "." || isWord(previous, "as")) return depth; // the name or label of a column
  if (isWord(token, "case")) return depth + 1;
  if (isWord(token, "end")) return depth - 1;
  return depth;
}

function createsRoutine(tokens: readonly Token[], start: number): boolean {
  if (!isWord(tokens[start], "create")) return false;
  return isWord(tokens[isWord(tokens[start + 1], "or") ? start + 3 : start + 1], "function", "procedure");
}
