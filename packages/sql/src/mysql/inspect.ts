import { combine } from "../combine.ts";
import { describe } from "../describe.ts";
import { type StatementFacts, UNREADABLE } from "../facts.ts";
import { type Piece, piecesOf } from "../piece.ts";
import { isSoundBegin } from "./begin.ts";
import { commandOf } from "./commands.ts";
import { eitherOf } from "./either-of.ts";
import { innerStatement } from "./inner-statement.ts";
import { lex } from "./lex.ts";
import { mysqlReader } from "./read.ts";
import { sessionEffect } from "./session.ts";
import { split } from "./split.ts";
import { type Modes, UNKNOWN_MODES } from "./sql-mode.ts";

/** The facts of a text in the dialect of MySQL and MariaDB. */
export function inspectMysql(sql: string, given: Modes): StatementFacts {
  const modes = modesOf(sql, given);
  const lexed = lex(sql, { modes, isConditionMet: true });
  if (lexed === undefined) return UNREADABLE;
  const facts = factsOf(piecesOf(sql, lexed, split(lexed.tokens)), modes, lexed.certain);
  if (!lexed.isConditional) return facts;
  const without = lex(sql, { modes, isConditionMet: false });
  if (without === undefined) return UNREADABLE;
  return eitherOf(facts, factsOf(piecesOf(sql, without, split(without.tokens)), modes, false));
}

/** A text that changes the mode has parts that are read in another one. */
export function modesOf(sql: string, given: Modes): Modes {
  return given === UNKNOWN_MODES || !/sql_mode/i.test(sql) ? given : UNKNOWN_MODES;
}

function factsOf(pieces: readonly Piece[], modes: Modes, certain: boolean): StatementFacts {
  return combine(pieces.map((piece) => factsOfOne(piece, modes, certain)));
}

function factsOfOne(piece: Piece, modes: Modes, certain: boolean): StatementFacts {
  const inner = innerStatement(piece);
  const statement = inner?.piece ?? piece;
  const command = commandOf(statement, modes);
  const isBegin = inner === undefined && command.transaction === "begin";
  return describe(statement.tokens, {
    command: inner === undefined ? command : { ...command, name: inner.name },
    session: sessionEffect(statement.tokens),
    reader: mysqlReader(statement, modes),
    canWait: isBegin && isSoundBegin(statement.tokens),
    certain,
    foldSavepoint: (name) => name.toLowerCase(),
  });
}
