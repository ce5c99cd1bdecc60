import type { SessionEffect, TransactionEffect } from "./facts.ts";
import { outline } from "./outline.ts";
import { isWord, type Token } from "./token.ts";

/** What a command does by its kind, whatever its details. */
export interface Command {
  /** Its keywords, upper case. */
  readonly name: string;
  readonly transaction: TransactionEffect;
  readonly implicitCommit: boolean;
  readonly session: SessionEffect;
  readonly transactional: boolean;
  readonly stream: boolean;
}

/** The first row of a keyword whose `when` holds says what differs from a plain statement. */
export interface CommandRow extends Partial<Command> {
  readonly when?: (tokens: readonly Token[]) => boolean;
}

/** The rows of each first keyword. */
export type CommandTable = ReadonlyMap<string, readonly CommandRow[]>;

/**
 * Looks up what kind of command a statement is. Unknown ones may do anything.
 * @param definitionName the keywords of a definition: `CREATE TABLE`
 */
export function lookUp(
  table: CommandTable,
  tokens: readonly Token[],
  definitionName: (tokens: readonly Token[]) => string | undefined,
): Command {
  const first = tokens[0];
  const keyword = first?.kind === "word" ? first.text : "";
  const row = table.get(keyword)?.find(({ when }) => when === undefined || when(tokens));
  if (row === undefined) return UNKNOWN;
  return {
    name: row.name ?? definitionName(tokens) ?? keyword.toUpperCase(),
    transaction: row.transaction ?? "none",
    implicitCommit: row.implicitCommit ?? false,
    session: row.session ?? "none",
    transactional: row.transactional ?? true,
    stream: row.stream ?? false,
  };
}

const UNKNOWN: Command = {
  name: "UNKNOWN",
  transaction: "mixed",
  implicitCommit: false,
  session: "pinned",
  transactional: false,
  stream: false,
};

/** The outline of the statement matches. */
export function starts(pattern: RegExp): (tokens: readonly Token[]) => boolean {
  return (tokens) => pattern.test(outline(tokens));
}

/** One of the words stands somewhere in the statement. */
export function mentions(...words: readonly string[]): (tokens: readonly Token[]) => boolean {
  return (tokens) => tokens.some((token) => isWord(token, ...words));
}

/** A statement that controls transactions. */
export function controls(transaction: TransactionEffect): CommandRow {
  return { transaction, transactional: false };
}
