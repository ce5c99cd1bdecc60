import type { SessionEffect } from "../facts.ts";
import { isIdentifier, isWord, type Token } from "../token.ts";

/** Functions that leave state in the session which no other connection can have. */
const PINNING_FUNCTIONS: ReadonlySet<string> = new Set([
  "pg_advisory_lock",
  "pg_advisory_lock_shared",
  "pg_try_advisory_lock",
  "pg_try_advisory_lock_shared",
  "pg_advisory_unlock",
  "pg_advisory_unlock_shared",
  "pg_advisory_unlock_all",
  "setseed",
  "dblink_connect",
  "dblink_connect_u",
  "dblink_disconnect",
  "pg_backup_start",
  "pg_backup_stop",
  "pg_start_backup",
  "pg_stop_backup",
  "pg_replication_origin_session_setup",
  "pg_replication_origin_session_reset",
  // these can make slots that are temporary, which live as long as the session
  "pg_create_logical_replication_slot",
  "pg_create_physical_replication_slot",
  "pg_copy_logical_replication_slot",
  "pg_copy_physical_replication_slot",
]);

/** What the expressions of a statement do to the session, beside what its command does. */
export function sessionEffect(tokens: readonly Token[]): SessionEffect {
  let setsConfig = false;
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index];
    if (!isIdentifier(token)) continue;
    const next = tokens[index + 1];
    if (next?.kind === "(" && PINNING_FUNCTIONS.has(token.text)) return "pinned";
    if (next?.kind === "." && token.text.startsWith("pg_temp")) return "pinned";
    if (isWord(token, "into") && intoTemporary(tokens[index - 1], next)) return "pinned";
    if (next?.kind === "(" && token.text === "set_config") setsConfig = true;
  }
  if (!setsConfig) return "none";
  if (isAllLocal(tokens)) return "local";
  return isOnlySetConfig(tokens) ? "setting" : "pinned";
}

/** `SELECT … INTO TEMP t`, but not `INSERT INTO temp`. */
function intoTemporary(before: Token | undefined, after: Token | undefined): boolean {
  return !isWord(before, "insert", "merge") && isWord(after, "temp", "temporary", "local", "global");
}

/** Whether every `set_config(…)` of the statement ends with the literal `true`. */
function isAllLocal(tokens: readonly Token[]): boolean {
  const open: boolean[] = [];
  for (const [index, token] of tokens.entries()) {
    const previous = tokens[index - 1];
    if (token.kind === "(") open.push(isIdentifier(previous) && previous.text === "set_config");
    if (token.kind !== ")" || open.pop() !== true) continue;
    if (!isWord(previous, "true") || tokens[index - 2]?.kind !== ",") return false;
  }
  return open.length === 0;
}

/**
 * Whether the statement is nothing but `SELECT set_config(…)` of literals and parameters, once or more. Only then does
 * running it again on another connection set the same and do nothing else.
 */
function isOnlySetConfig(tokens: readonly Token[]): boolean {
  return tokens.every((token, index) => {
    const previous = tokens[index - 1];
    switch (token.kind) {
      case "(":
        return isWord(previous, "set_config");
      case "word":
        if (index === 0) return token.text === "select";
        return isWord(previous, "as") || SET_CONFIG_WORDS.has(token.text);
      case "name":
        return isWord(previous, "as");
      case "operator":
        return false;
      default:
        return true;
    }
  });
}

const SET_CONFIG_WORDS: ReadonlySet<string> = new Set([
  "pg_catalog",
  "set_config",
  "as",
  "true",
  "false",
  "null",
  "text",
  "bool",
  "boolean",
]);
