import type { Statement } from "@mirrorpool/core";
import { areHarmless } from "../sql-values.ts";
import type { BaseConnection, ExecuteCommand, QueryCommand } from "./internals.ts";
import type { Source } from "./virtual-session.ts";

type Options = Readonly<Record<string, unknown>>;

/** What of a query's options is said in another way, or is ours. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  ...["sql", "values", "timeout", "namedPlaceholders", "text", "written", "channel", "execute", "own", "holder"],
]);

/**
 * A query as the pool runs it. Where its values cannot change what it is, the text is that which the application wrote: it says
 * more than one with values in it, and is the same each time. Else `written` is, of which the driver's connection makes what it
 * sends, by its own settings.
 */
export function queryStatement(connection: BaseConnection, command: QueryCommand, source: Source): Statement {
  const { sql, _queryOptions: given, namedPlaceholders } = command;
  const query = { sql: given["sql"], values: given["values"], namedPlaceholders };
  connection._resolveNamedPlaceholders(query);
  const { sql: text, values } = query;
  const statement = { ...source.reading, ...passedOn(given) };
  if (values === undefined) return { ...statement, text: sql, ...(source.writes && { sql }) };
  const isAsWritten = typeof text === "string" && Array.isArray(values) && areHarmless(text, values);
  const how = source.writes ? { sql } : {};
  if (isAsWritten) return { ...statement, ...how, text, values };
  return { ...statement, ...(source.writes ? how : { written: { text, values } }), text: sql };
}

export function executeStatement(command: ExecuteCommand, { reading }: Source): Statement {
  const { sql, parameters = [], _executeOptions: given } = command;
  return { ...reading, ...passedOn(given), text: sql, values: parameters, execute: true };
}

function passedOn(given: Options): Options {
  const entries = Object.entries(given).filter(([name, value]) => value !== undefined && !NOT_PASSED_ON.has(name));
  return Object.fromEntries(entries);
}
