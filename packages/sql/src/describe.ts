import type { Command } from "./commands.ts";
import type { SessionEffect, StatementFacts, TransactionEffect } from "./facts.ts";
import type { Reader } from "./read.ts";
import { isIdentifier, type Token } from "./token.ts";

/** What was found out about one statement. */
export interface Findings {
  readonly command: Command;
  /** What its expressions do to the session, beside what its command does. */
  readonly session: SessionEffect;
  /** Who may answer it, if it is a read. */
  readonly reader: Reader | undefined;
  /** Whether all servers would read the text as it was read here. */
  readonly certain: boolean;
  /** It is a BEGIN in which the server finds no mistake. */
  readonly canWait?: boolean;
  /** It is a write that leaves nothing behind on its connection. */
  readonly leavesNothing?: boolean;
  /** How the dialect compares the names of savepoints. */
  readonly foldSavepoint?: (name: string) => string;
}

/** The facts of one statement. */
export function describe(tokens: readonly Token[], findings: Findings): StatementFacts {
  const { command, certain } = findings;
  const session = stronger(command.session, findings.session);
  const savepoint = savepointOf(tokens, command.transaction);
  const reader = certain && session === "none" ? findings.reader : undefined;
  return Object.freeze({
    intent: reader === "any" ? "read" : "write",
    ...(reader === "primary" && { repeatable: true as const }),
    transaction: command.transaction,
    ...(findings.canWait && { canWait: true as const }),
    ...(certain && session === "none" && findings.leavesNothing && { leavesNothing: true as const }),
    ...(command.implicitCommit && { implicitCommit: true as const }),
    session,
    transactional: certain && command.transactional,
    multiple: false,
    stream: command.stream,
    command: command.name,
    ...(savepoint !== undefined && { savepoint: findings.foldSavepoint?.(savepoint) ?? savepoint }),
  });
}

/** The name is the last token of all statements about savepoints. */
function savepointOf(tokens: readonly Token[], transaction: TransactionEffect): string | undefined {
  const last = tokens.at(-1);
  const isAbout = transaction === "savepoint" || transaction === "rollback-to" || transaction === "release";
  return isAbout && isIdentifier(last) ? last.text : undefined;
}

const STRENGTH: Readonly<Record<SessionEffect, number>> = { none: 0, local: 1, setting: 2, prepared: 3, pinned: 4 };

function stronger(one: SessionEffect, other: SessionEffect): SessionEffect {
  return STRENGTH[one] >= STRENGTH[other] ? one : other;
}
