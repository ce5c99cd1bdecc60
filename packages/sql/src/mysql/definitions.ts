import { outline } from "../outline.ts";
import { isWord, type Token } from "../token.ts";

/** `"CREATE TABLE"`, `"ALTER USER"`, …: verb and kind of object, if the statement is a definition of a known kind. */
export function definitionName(tokens: readonly Token[]): string | undefined {
  if (!isWord(tokens[0], "create", "alter", "drop")) return undefined;
  return DEFINITION.exec(outline(tokens))?.slice(1).join(" ").toUpperCase();
}

const NAMED = String.raw`(?:\w+|""|'')(?: variable)?`;

const MODIFIERS: readonly string[] = [
  "or replace",
  "temporary",
  "online",
  "offline",
  "ignore",
  "unique",
  "fulltext",
  "spatial",
  "undo",
  "aggregate",
  "materialized",
  "algorithm @ (?:undefined|merge|temptable)",
  `definer @ ${NAMED}`,
  String.raw`definer @ current_(?:user|role)(?: \( \))?`,
  "sql security (?:definer|invoker)",
];

/** Longer kinds come before those they begin with. */
const OBJECTS: readonly string[] = [
  "database",
  "event",
  "external library",
  "function",
  "index",
  "instance",
  "json duality view",
  "library",
  "logfile group",
  "package body",
  "package",
  "prepare",
  "procedure",
  "resource group",
  "role",
  "schema",
  "sequence",
  "server",
  "spatial reference system",
  "tablespace",
  "table",
  "trigger",
  "user",
  "view",
];

const DEFINITION = new RegExp(`^(create|alter|drop) (?:(?:${MODIFIERS.join("|")}) )*(${OBJECTS.join("|")}) `);
