import type { ReservedConnection } from "@mirrorpool/core";
import {
  askMysql,
  numberOf,
  quoteMysqlName as quoteName,
  quoteMysqlText as quoteText,
} from "@mirrorpool/sync/for-other-jobs";
import { MARKS } from "../mark-name.ts";
import { columnsOfKeys, readForeignKeys, withQuotedKeys } from "./foreign-keys.ts";
import type { Definition } from "./script.ts";
import { splitTable } from "./split-table.ts";

/** The definitions of a database: tables, then what comes after the rows. */
export interface Definitions {
  readonly before: readonly Definition[];
  readonly after: readonly Definition[];
  /** What of them the user may not read. */
  readonly missing: readonly string[];
}

type Row = Readonly<Record<string, string | null>>;

/** Strings as the server itself writes them in definitions, and defaults that a stricter mode would refuse. */
const PLAIN = settingsOf({ sql_mode: "NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION" });

const RELATIONS = `
SELECT TABLE_NAME AS name, TABLE_TYPE AS type FROM information_schema.TABLES
 WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE <> 'SYSTEM VIEW' ORDER BY TABLE_NAME`;
const ROUTINES = `
SELECT ROUTINE_NAME AS name, ROUTINE_TYPE AS type FROM information_schema.ROUTINES
 WHERE ROUTINE_SCHEMA = DATABASE() ORDER BY FIELD(ROUTINE_TYPE, 'PACKAGE', 'PACKAGE BODY', 'FUNCTION', 'PROCEDURE'), ROUTINE_NAME`;
const TRIGGERS = `
SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS
 WHERE TRIGGER_SCHEMA = DATABASE() ORDER BY EVENT_OBJECT_TABLE, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER`;
const EVENTS =
  "SELECT EVENT_NAME AS name FROM information_schema.EVENTS WHERE EVENT_SCHEMA = DATABASE() ORDER BY EVENT_NAME";

/** Asks the server for its definitions, in the words that it would have written them with itself. */
export async function readDefinitions(on: ReservedConnection): Promise<Definitions> {
  const ask = <R extends Row>(text: string): Promise<readonly R[]> => askMysql<R>(on, text);
  const missing: string[] = [];
  /** A definition, by the name of its column. */
  const show = async (what: string, name: string, column: string): Promise<Row | undefined> => {
    const [row] = await ask(`SHOW CREATE ${what} ${quoteName(name)}`).catch((error: unknown) => {
      if (!DENIED.has(numberOf(error) ?? 0)) throw error;
      return [];
    });
    if (row !== undefined && row[column] !== null) return row;
    missing.push(`the definition of the ${what.toLowerCase()} ${name} is not in this backup: the user may not read it`);
    return undefined;
  };
  await on.query("SET SESSION sql_quote_show_create = 1");
  const relations = await ask<{ name: string; type: string }>(RELATIONS);
  const keys = await readForeignKeys(on);
  const needed = columnsOfKeys(keys);
  const before: Definition[] = [];
  const after: Definition[] = [];
  for (const { name } of relations.filter(({ type }) => type === "SEQUENCE")) {
    const text = (await show("SEQUENCE", name, "Create Table"))?.["Create Table"];
    if (typeof text === "string") before.push({ settings: PLAIN, text });
  }
  for (const { name } of relations.filter(
    ({ name, type }) => type !== "SEQUENCE" && type !== "VIEW" && !isOurs(name),
  )) {
    const text = (await show("TABLE", name, "Create Table"))?.["Create Table"];
    if (typeof text !== "string") continue;
    const split = splitTable(withQuotedKeys(text, name, keys), quoteName(name), needed.get(name) ?? []);
    before.push({ settings: PLAIN, text: split.table });
    const alter = (parts: readonly string[]): Definition => ({
      settings: PLAIN,
      text: `ALTER TABLE ${quoteName(name)} ${parts.map((part) => `ADD ${part}`).join(", ")}`,
    });
    after.push(...split.indexes.map(alter));
  }
  for (const { name, type } of await ask<{ name: string; type: string }>(ROUTINES)) {
    const column = `Create ${type.toLowerCase().replaceAll(/\b[a-z]/g, (letter) => letter.toUpperCase())}`;
    const row = await show(type, name, column);
    if (row !== undefined) after.push({ settings: settingsOf(row), text: row[column] ?? "" });
  }
  for (const { name } of relations.filter(({ type }) => type === "VIEW")) {
    const row = await show("VIEW", name, "Create View");
    if (row !== undefined)
      after.push({ settings: settingsOf({ ...row, sql_mode: "" }), text: row["Create View"] ?? "" });
  }
  for (const { name } of await ask<{ name: string }>(TRIGGERS)) {
    const row = await show("TRIGGER", name, "SQL Original Statement");
    if (row !== undefined) after.push({ settings: settingsOf(row), text: row["SQL Original Statement"] ?? "" });
  }
  for (const { name } of await ask<{ name: string }>(EVENTS)) {
    const row = await show("EVENT", name, "Create Event");
    if (row !== undefined) after.push({ settings: settingsOf(row), text: asOnPrimary(row["Create Event"] ?? "") });
  }
  return { before, after, missing };
}

/** A mirror shows the events of its primary as switched off there. Pure. */
const asOnPrimary = (event: string): string =>
  event.replace(/^(CREATE .*? ON COMPLETION (?:NOT )?PRESERVE) DISABLE ON (?:SLAVE|REPLICA)\b/s, "$1 ENABLE");

const isOurs = (name: string): boolean => MARKS.includes(name);

/** No right to see it; and a view of what is not there any more. */
const DENIED: ReadonlySet<number> = new Set([1044, 1142, 1227, 1305, 1356, 1370, 1419]);

/**
 * The settings that a definition was made under. Its text comes, and is sent, in utf8mb4: that is its client's character set now;
 * literals keep the one that they had by the collation.
 */
function settingsOf(row: Row): string {
  const { collation_connection: collation, time_zone: zone } = row;
  const parts = [
    `sql_mode = ${quoteText(row["sql_mode"] ?? "")}`,
    `collation_connection = ${collation ? quoteText(collation) : "@@global.collation_connection"}`,
    `time_zone = ${quoteText(zone ?? "+00:00")}`,
  ];
  return `SET SESSION ${parts.join(", ")}`;
}
