import { nameOf } from "../../model.ts";
import { ask } from "../../mysql/ask.ts";
import type { Shapes } from "../../mysql/binlog/shape.ts";
import type { Pair } from "../../pair-tables.ts";
import type { Querier } from "../../querier.ts";
import type { Log } from "./position.ts";

/** What tells how far a server has written: the end of its own log. */
const END = {
  mariadb: "SELECT @@global.gtid_binlog_pos AS end",
  mysql: "SELECT @@global.gtid_executed AS end",
} as const;

const LOG = {
  mariadb: "SELECT @@global.gtid_binlog_state AS has, '' AS purged",
  mysql: "SELECT @@global.gtid_executed AS has, @@global.gtid_purged AS purged",
} as const;

/** A set as it is kept: the server breaks long ones into lines. */
const inOneLine = (gtids: string | undefined): string => (gtids ?? "").replaceAll(/\s/g, "");

export async function readEnd(on: Querier, isMariadb: boolean, signal: AbortSignal): Promise<string> {
  const [row] = await ask<{ end: string }>(on, END[isMariadb ? "mariadb" : "mysql"], [], signal);
  return inOneLine(row?.end);
}

export async function readLog(on: Querier, isMariadb: boolean, signal: AbortSignal): Promise<Omit<Log, "shape">> {
  const text = LOG[isMariadb ? "mariadb" : "mysql"];
  const [row] = await ask<{ has: string; purged: string }>(on, text, [], signal);
  return { isMariadb, has: inOneLine(row?.has), purged: inOneLine(row?.purged) };
}

/** Files of the log with their sizes, in their order; undefined for whom the server does not tell. */
export async function readFiles(
  on: Querier,
  signal: AbortSignal,
): Promise<readonly { readonly name: string; readonly bytes: number }[] | undefined> {
  try {
    const rows = await ask<{ Log_name: string; File_size: string }>(on, "SHOW BINARY LOGS", [], signal);
    return rows.map((row) => ({ name: row.Log_name, bytes: Number(row.File_size) }));
  } catch {
    return undefined; // a right that following does not need
  }
}

/** In which way a followed table is another one than before; undefined where none is. Pure. */
export function differenceOf(pairs: readonly Pair[], shapes: Shapes): string | undefined {
  for (const { source } of pairs) {
    const name = nameOf(source);
    const told = shapes.get(source.name);
    if (told === undefined) return `${name}: the source has no such table any more`;
    const types = new Map(told.map((column) => [column.name, column.type]));
    for (const column of source.columns) {
      const type = types.get(column.name);
      if (type === undefined) return `${name}: the source has no column ${column.name} any more`;
      if (type !== column.type) return `${name}: ${column.name} is ${type} on the source now, and was ${column.type}`;
    }
    const known = new Set([...source.columns.map((column) => column.name), ...source.generated]);
    const added = told.find((column) => !known.has(column.name));
    if (added !== undefined) return `${name}: the source has a column ${added.name} now`;
  }
  return undefined;
}
