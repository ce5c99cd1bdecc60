import type { SessionChange } from "../changes.ts";
import { type Piece, piecesOf, textOf } from "../piece.ts";
import { isIdentifier, isWord, type Token } from "../token.ts";
import { commandOf } from "./commands.ts";
import { lex } from "./lex.ts";
import { configChanges } from "./set-config.ts";
import { ownNames } from "./setting-names.ts";
import { split } from "./split.ts";

/** See {@link sessionChanges}. */
export function postgresChanges(
  sql: string,
  values: readonly unknown[],
  quote: (value: string) => string,
): readonly SessionChange[] | undefined {
  const lexed = lex(sql);
  if (lexed === undefined || !lexed.certain) return undefined;
  const changes: SessionChange[] = [];
  for (const piece of piecesOf(sql, lexed, split(lexed.tokens))) {
    const found = changesOf(piece, values, quote);
    if (found === undefined) return undefined;
    changes.push(...found);
  }
  return changes;
}

function changesOf(
  piece: Piece,
  values: readonly unknown[],
  quote: (value: string) => string,
): readonly SessionChange[] | undefined {
  const { tokens } = piece;
  const first = tokens[0];
  if (isWord(first, "set")) return commandOf(tokens).session === "local" ? [] : set(piece);
  if (isWord(first, "reset")) return reset(piece);
  if (isWord(first, "prepare")) return prepare(piece);
  if (isWord(first, "deallocate")) return deallocate(tokens);
  if (isWord(first, "discard")) return isWord(tokens[1], "all") ? [{ type: "discard-all" }] : undefined;
  if (isWord(first, "explain")) return undefined; // whether it is executed is not looked at
  return configChanges(piece, values, quote);
}

function set(piece: Piece): readonly SessionChange[] | undefined {
  const { tokens } = piece;
  if (isWord(tokens[1], "session") && isWord(tokens[2], "characteristics")) return characteristics(piece);
  const named = nameAt(tokens, isScope(tokens) ? 2 : 1);
  if (named === undefined) return undefined;
  const names = ownNames(named.name);
  if (names === undefined || names.length === 0) return names === undefined ? undefined : [];
  const isAssigned = isWord(tokens[named.end], "to") || tokens[named.end]?.kind === "operator";
  if (!isAssigned && !named.isSpecial) return undefined;
  const value = tokens[named.end + (isAssigned ? 1 : 0)];
  const isDefault = tokens.at(-1) === value && isWord(value, "default");
  return [{ type: isDefault ? "reset" : "set", names, text: textOf(piece) }];
}

/** `SET SESSION work_mem = …`, but not `SET session.x = …` and `SET SESSION AUTHORIZATION`. */
function isScope(tokens: readonly Token[]): boolean {
  const next = tokens[2];
  return isWord(tokens[1], "session") && isIdentifier(next) && !isWord(next, "authorization", "to");
}

/** The settings behind `SET SESSION CHARACTERISTICS AS TRANSACTION …`. */
function characteristics(piece: Piece): readonly SessionChange[] {
  const names: string[] = [];
  for (const token of piece.tokens.slice(3)) {
    if (isWord(token, "isolation")) names.push("default_transaction_isolation");
    if (isWord(token, "read") && !names.includes("default_transaction_read_only")) {
      names.push("default_transaction_read_only");
    }
    if (isWord(token, "deferrable")) names.push("default_transaction_deferrable");
  }
  return [{ type: "set", names, text: textOf(piece) }];
}

function reset(piece: Piece): readonly SessionChange[] | undefined {
  const { tokens } = piece;
  if (tokens.length === 2 && isWord(tokens[1], "all")) return [{ type: "reset-all", text: textOf(piece) }];
  const named = nameAt(tokens, 1);
  const names = named === undefined ? undefined : ownNames(named.name);
  if (names === undefined || names.length === 0) return names === undefined ? undefined : [];
  return [{ type: "reset", names, text: textOf(piece) }];
}

interface Named {
  readonly name: string;
  /** The place after the name. */
  readonly end: number;
  /** Has a form of its own, without `=` or `TO`. */
  readonly isSpecial: boolean;
}

/** Forms of `SET` and `RESET` that name their setting in other words. */
const SPECIAL: readonly (readonly [words: readonly string[], name: string])[] = [
  [["time", "zone"], "timezone"],
  [["session", "authorization"], "session_authorization"],
  [["xml", "option"], "xmloption"],
  [["role"], "role"],
  [["names"], "client_encoding"],
  [["schema"], "search_path"],
];

function nameAt(tokens: readonly Token[], at: number): Named | undefined {
  for (const [words, name] of SPECIAL) {
    const end = at + words.length;
    if (words.every((word, index) => isWord(tokens[at + index], word)) && tokens[end]?.kind !== ".") {
      return { name, end, isSpecial: true };
    }
  }
  const parts: string[] = [];
  let end = at;
  for (;;) {
    const token = tokens[end];
    if (!isIdentifier(token)) return undefined;
    parts.push(token.text);
    end += 1;
    if (tokens[end]?.kind !== ".") return { name: parts.join(".").toLowerCase(), end, isSpecial: false };
    end += 1;
  }
}

function prepare(piece: Piece): readonly SessionChange[] | undefined {
  const name = piece.tokens[1];
  return isIdentifier(name) ? [{ type: "prepare", name: name.text, text: textOf(piece) }] : undefined;
}

function deallocate(tokens: readonly Token[]): readonly SessionChange[] | undefined {
  const name = tokens.at(-1);
  if (!isIdentifier(name) || tokens.length > 3) return undefined;
  if (isWord(name, "all")) return [{ type: "deallocate-all" }];
  return [{ type: "deallocate", name: name.text }];
}
