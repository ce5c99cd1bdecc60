import { combine } from "../combine.ts";
import { describe } from "../describe.ts";
import { type StatementFacts, UNREADABLE } from "../facts.ts";
import { isQueryStart, withoutOpening } from "../parenthesis.ts";
import { isWord, type Token } from "../token.ts";
import { isSoundBegin } from "./begin.ts";
import { commandOf } from "./commands.ts";
import { leavesNothing } from "./leaves-nothing.ts";
import { lex } from "./lex.ts";
import { postgresReader } from "./read.ts";
import { sessionEffect } from "./session.ts";
import { split } from "./split.ts";

/** The facts of a text in PostgreSQL's dialect. */
export function inspectPostgres(sql: string): StatementFacts {
  const lexed = lex(sql);
  if (lexed === undefined) return UNREADABLE;
  return combine(split(lexed.tokens).map((tokens) => factsOf(tokens, lexed.certain)));
}

function factsOf(tokens: readonly Token[], certain: boolean): StatementFacts {
  const statement = withoutExplain(tokens);
  const command = commandOf(withoutOpening(statement));
  return describe(tokens, {
    command: statement === tokens ? command : { ...command, name: "EXPLAIN" },
    session: sessionEffect(statement),
    reader: postgresReader(statement),
    certain,
    canWait: command.transaction === "begin" && isSoundBegin(tokens),
    leavesNothing: leavesNothing(tokens),
  });
}

/**
 * What an `EXPLAIN` explains. With `ANALYZE` it is executed, and without it is planned: either way it does no more than
 * the explained statement does, so their facts are the same.
 */
function withoutExplain(tokens: readonly Token[]): readonly Token[] {
  if (!isWord(tokens[0], "explain")) return tokens;
  let start = 1;
  if (tokens[1]?.kind === "(" && tokens[2]?.kind !== "(" && !isQueryStart(tokens, 2)) {
    start = tokens.findIndex((token) => token.kind === ")") + 1;
  }
  while (isWord(tokens[start], "analyze", "analyse", "verbose")) start += 1;
  return tokens.slice(start);
}
