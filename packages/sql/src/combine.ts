import { EMPTY, type SessionEffect, type StatementFacts } from "./facts.ts";

/** The facts of a text, from the facts of each of its statements. */
export function combine(statements: readonly StatementFacts[]): StatementFacts {
  const [first, ...others] = statements;
  if (first === undefined) return EMPTY;
  if (others.length === 0) return first;
  return Object.freeze({
    intent: statements.every((statement) => statement.intent === "read") ? "read" : "write",
    ...(statements.some(({ repeatable }) => repeatable) &&
      statements.every(hasNoEffect) && { repeatable: true as const }),
    transaction: statements.every(leavesTransaction) ? "none" : "mixed",
    session: combineSession(statements),
    transactional: statements.every((statement) => statement.transactional),
    multiple: true,
    stream: statements.some((statement) => statement.stream),
    command: first.command,
  });
}

/**
 * A journalled text is run again as a whole. So a setting can be carried over only if nothing beside it has an effect
 * of its own: `SET a = 1; SELECT 1` can, `SET a = 1; INSERT …` cannot.
 */
function combineSession(statements: readonly StatementFacts[]): SessionEffect {
  const effects = new Set(statements.map((statement) => statement.session));
  if (effects.has("pinned") || effects.has("prepared")) return "pinned";
  if (effects.has("setting")) {
    return statements.every(canRunAgain) ? "setting" : "pinned";
  }
  return effects.has("local") ? "local" : "none";
}

function leavesTransaction({ transaction, implicitCommit }: StatementFacts): boolean {
  return transaction === "none" && implicitCommit === undefined;
}

function hasNoEffect({ intent, repeatable }: StatementFacts): boolean {
  return intent === "read" || repeatable === true;
}

function canRunAgain(statement: StatementFacts): boolean {
  return statement.session === "setting" || statement.session === "local" || statement.intent === "read";
}
