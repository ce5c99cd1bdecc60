import { combine } from "../combine.ts";
import { type SessionEffect, type StatementFacts, type TransactionEffect, UNREADABLE } from "../facts.ts";
import { isIdentifier, isWord, type Token } from "../token.ts";
import { isSoundBegin } from "./begin.ts";
import { commandOf } from "./commands.ts";
import { lex } from "./lex.ts";
import { isQueryStart } from "./parenthesis.ts";
import { readerOf } from "./read.ts";
import { sessionEffect } from "./session.ts";
import { split } from "./split.ts";

/** The facts of a text in PostgreSQL's dialect. */
export function inspectPostgres(sql: string): StatementFacts {
  const lexed = lex(sql);
  if (lexed === undefined) return UNREADABLE;
  return combine(split(lexed.tokens).map((statement) => describe(statement, lexed.certain)));
}

function describe(tokens: readonly Token[], certain: boolean): StatementFacts {
  const statement = withoutExplain(tokens);
  const command = commandOf(withoutOpening(statement));
  const session = stronger(command.session, sessionEffect(statement));
  const savepoint = savepointOf(tokens, command.transaction);
  const reader = certain && session === "none" ? readerOf(statement) : undefined;
  return Object.freeze({
    intent: reader === "any" ? "read" : "write",
    ...(reader === "primary" && { repeatable: true as const }),
    transaction: command.transaction,
    ...(command.transaction === "begin" && isSoundBegin(tokens) && { canWait: true as const }),
    session,
    transactional: certain && command.transactional,
    multiple: false,
    stream: command.stream,
    command: statement === tokens ? command.name : "EXPLAIN",
    ...(savepoint !== undefined && { savepoint }),
  });
}

/** The name is the last token of all statements about savepoints. */
function savepointOf(tokens: readonly Token[], transaction: TransactionEffect): string | undefined {
  const last = tokens.at(-1);
  const isAbout = transaction === "savepoint" || transaction === "rollback-to" || transaction === "release";
  return isAbout && isIdentifier(last) ? last.text : undefined;
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

/** A query may stand in parentheses. */
function withoutOpening(tokens: readonly Token[]): readonly Token[] {
  const start = tokens.findIndex((token) => token.kind !== "(");
  return start > 0 ? tokens.slice(start) : tokens;
}

const STRENGTH: Readonly<Record<SessionEffect, number>> = { none: 0, local: 1, setting: 2, prepared: 3, pinned: 4 };

function stronger(one: SessionEffect, other: SessionEffect): SessionEffect {
  return STRENGTH[one] >= STRENGTH[other] ? one : other;
}
