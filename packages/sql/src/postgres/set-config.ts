import type { SessionChange } from "../changes.ts";
import { type Piece, textOf } from "../piece.ts";
import { isWord, type Token } from "../token.ts";
import { sessionEffect } from "./session.ts";
import { ownNames } from "./setting-names.ts";

/**
 * What a `SELECT set_config(…)` changes, one statement a call, with the values of its parameters written into it. Any other
 * statement that leaves nothing in the session changes nothing.
 */
export function configChanges(
  piece: Piece,
  values: readonly unknown[],
  quote: (value: string) => string,
): readonly SessionChange[] | undefined {
  const effect = sessionEffect(piece.tokens);
  if (effect === "none" || effect === "local") return [];
  if (effect === "pinned") return undefined;
  const changes: SessionChange[] = [];
  for (const [index, token] of piece.tokens.entries()) {
    if (!isWord(token, "set_config")) continue;
    const change = configChange(piece, index, values, quote);
    if (change === undefined) return undefined;
    changes.push(...change);
  }
  return changes;
}

/** One call, whose name stands at `start`: such a statement has no parentheses but those of its calls. */
function configChange(
  piece: Piece,
  start: number,
  values: readonly unknown[],
  quote: (value: string) => string,
): readonly SessionChange[] | undefined {
  const { tokens } = piece;
  const end = tokens.findIndex((token, index) => index > start && token.kind === ")");
  const name = literal(piece, start + 2, values);
  const isLocal = literal(piece, commaBefore(tokens, end) + 1, values);
  const names = typeof name === "string" ? ownNames(name.toLowerCase()) : undefined;
  if (names === undefined || typeof isLocal !== "boolean") return undefined;
  if (isLocal || names.length === 0) return [];
  let text = "SELECT pg_catalog.";
  let copied = piece.spans[start]?.start;
  for (let index = start; index <= end; index += 1) {
    if (tokens[index]?.kind !== "parameter") continue;
    const written = parameter(piece, index, values, quote);
    if (written === undefined) return undefined;
    text += piece.sql.slice(copied, piece.spans[index]?.start) + written;
    copied = piece.spans[index]?.end;
  }
  text += piece.sql.slice(copied, piece.spans[end]?.end);
  return [{ type: "set", names, text }];
}

function commaBefore(tokens: readonly Token[], end: number): number {
  return tokens.findLastIndex((token, index) => index < end && token.kind === ",");
}

/** What a literal or a parameter means, where that is plain. */
function literal(piece: Piece, at: number, values: readonly unknown[]): unknown {
  const token = piece.tokens[at];
  if (isWord(token, "true", "false")) return isWord(token, "true");
  if (token?.kind === "parameter") return valueAt(piece, at, values);
  const text = textOf(piece, at, at + 1);
  return token?.kind === "string" && /^'[^'\\]*'$/.test(text) ? text.slice(1, -1) : undefined;
}

/** The value of `$1` is the first. */
function valueAt(piece: Piece, at: number, values: readonly unknown[]): unknown {
  return values[Number(textOf(piece, at, at + 1).slice(1)) - 1];
}

/** Only of what has one obvious text: how a library writes other values is its own affair. */
function parameter(
  piece: Piece,
  at: number,
  values: readonly unknown[],
  quote: (value: string) => string,
): string | undefined {
  const value = valueAt(piece, at, values);
  if (value === null || value === undefined) return "NULL";
  if (typeof value === "string") return quote(value);
  const isPlain = typeof value === "number" || typeof value === "bigint" || typeof value === "boolean";
  return isPlain ? quote(String(value)) : undefined;
}
