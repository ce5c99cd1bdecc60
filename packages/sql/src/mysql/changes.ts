import type { SessionChange } from "../changes.ts";
import { type Piece, partOf, piecesOf, textOf } from "../piece.ts";
import { isIdentifier, isWord } from "../token.ts";
import { type Assignment, assignmentsOf } from "./assignments.ts";
import { commandOf } from "./commands.ts";
import { modesOf } from "./inspect.ts";
import { lex } from "./lex.ts";
import { sessionEffect } from "./session.ts";
import { isCarried, isRelative } from "./set.ts";
import { split } from "./split.ts";
import type { Modes } from "./sql-mode.ts";
import { writeParameters } from "./write-parameters.ts";

/** See {@link sessionChanges}. */
export function mysqlChanges(
  sql: string,
  given: Modes,
  values: readonly unknown[],
  quote: (value: string) => string,
): readonly SessionChange[] | undefined {
  const modes = modesOf(sql, given);
  const lexed = lex(sql, { modes, isConditionMet: true });
  if (lexed === undefined || !lexed.certain) return undefined;
  const changes: SessionChange[] = [];
  let parameter = 0;
  for (const piece of piecesOf(sql, lexed, split(lexed.tokens))) {
    const found = changesOf(piece, modes, (part) => writeParameters(part, piece, values.slice(parameter), quote));
    if (found === undefined) return undefined;
    changes.push(...found);
    parameter += piece.tokens.filter(({ kind }) => kind === "parameter").length;
  }
  return changes;
}

function changesOf(
  piece: Piece,
  modes: Modes,
  write: (part: Piece) => string | undefined,
): readonly SessionChange[] | undefined {
  const { tokens } = piece;
  const first = tokens[0];
  const name = tokens.at(-1);
  if (isWord(first, "set")) return set(piece, modes, write);
  if (isWord(first, "use")) {
    const isPlain = tokens.length === 2 && isIdentifier(name);
    return isPlain ? [{ type: "set", names: ["database"], text: textOf(piece) }] : undefined;
  }
  if (isWord(first, "prepare")) return prepare(piece, modes);
  if (isWord(first, "deallocate") || (isWord(first, "drop") && isWord(tokens[1], "prepare"))) {
    return isIdentifier(name) ? [{ type: "deallocate", name: name.text.toLowerCase() }] : undefined;
  }
  const session = commandOf(piece, modes).session;
  return session === "none" && sessionEffect(tokens) === "none" ? [] : undefined;
}

function prepare(piece: Piece, modes: Modes): readonly SessionChange[] | undefined {
  const name = piece.tokens[1];
  if (!isIdentifier(name) || commandOf(piece, modes).session !== "prepared") return undefined;
  return [{ type: "prepare", name: name.text.toLowerCase(), text: textOf(piece) }];
}

function set(
  piece: Piece,
  modes: Modes,
  write: (part: Piece) => string | undefined,
): readonly SessionChange[] | undefined {
  const { session } = commandOf(piece, modes);
  if (session === "none") return [];
  const assignments = assignmentsOf(piece.tokens);
  if (session !== "setting" || assignments === undefined) return undefined;
  if (!assignments.every((each) => isCarried(piece, modes, each))) return undefined;
  const text = write(piece);
  if (text === undefined) return undefined;
  const names = assignments.flatMap((each) => namesOf(piece, each));
  const isForNext = assignments.every(({ scope }) => scope === "next");
  const isOnTop = assignments.some((each) => isRelative(piece.tokens, each));
  return [
    {
      type: "set",
      names,
      text,
      ...(isOnTop && { isRelative: true as const }),
      ...(isForNext && { isForNext: true as const }),
    },
  ];
}

const OF_CHARACTERS = [
  "character_set_client",
  "character_set_results",
  "character_set_connection",
  "collation_connection",
];

function namesOf(piece: Piece, { scope, name, start }: Assignment): readonly string[] {
  if (scope === "user") return [textOf(partOf(piece, start, start + 1)).toLowerCase()];
  if (name === "names" || name === "character set") return OF_CHARACTERS;
  // each sets the other
  if (name === "collation_connection" || name === "character_set_connection") return OF_CHARACTERS.slice(2);
  return [name];
}
