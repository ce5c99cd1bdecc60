import { outline } from "../outline.ts";
import { isWord, type Token } from "../token.ts";

/** `"CREATE TABLE"`, `"ALTER ROLE"`, …: verb and kind of object, if the statement is a definition of a known kind. */
export function definitionName(tokens: readonly Token[]): string | undefined {
  if (!isWord(tokens[0], "create", "alter", "drop")) return undefined;
  return DEFINITION.exec(outline(tokens))?.slice(1).join(" ").toUpperCase();
}

const MODIFIERS: readonly string[] = [
  "or replace",
  "global",
  "local",
  "temp",
  "temporary",
  "unlogged",
  "unique",
  "recursive",
  "trusted",
  "procedural",
  "default",
  "constraint",
];

/** Longer kinds come before those they begin with. */
const OBJECTS: readonly string[] = [
  "access method",
  "aggregate",
  "cast",
  "collation",
  "conversion",
  "database",
  "default privileges",
  "domain",
  "event trigger",
  "extension",
  "foreign data wrapper",
  "foreign table",
  "function",
  "group",
  "index",
  "language",
  "large object",
  "materialized view",
  "operator class",
  "operator family",
  "operator",
  "owned",
  "policy",
  "procedure",
  "publication",
  "role",
  "routine",
  "rule",
  "schema",
  "sequence",
  "server",
  "statistics",
  "subscription",
  "system",
  "table",
  "tablespace",
  "text search (?:configuration|dictionary|parser|template)",
  "transform",
  "trigger",
  "type",
  "user mapping",
  "user",
  "view",
];

const DEFINITION = new RegExp(`^(create|alter|drop) (?:(?:${MODIFIERS.join("|")}) )*(${OBJECTS.join("|")}) `);
