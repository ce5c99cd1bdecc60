import type { Statement } from "@mirrorpool/core";
import { areHarmless } from "../sql-values.ts";
import { factsOf } from "./facts.ts";
import type { BaseConnection, ExecuteCommand, Options, QueryCommand } from "./internals.ts";
import type { Source } from "./virtual-session.ts";

/** Filled where it is made: every statement has one. */
type Draft = Record<string, unknown> & { text: string };

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
  const isAsWritten = typeof text === "string" && Array.isArray(values) && areHarmless(text, values);
  const statement: Draft = { ...source.reading, text: isAsWritten ? text : sql };
  passOn(given, statement);
  if (isAsWritten) statement["values"] = values;
  if (source.writes) statement["sql"] = sql;
  else if (!isAsWritten && values !== undefined) statement["written"] = { text, values };
  return statement;
}

/** A query into which no connection has put its values; undefined where one has to. */
export function queryAsWritten(command: QueryCommand, source: Source): Draft | undefined {
  const { _queryOptions: given, namedPlaceholders } = command;
  const { sql: text, values } = given;
  const hasNames = Boolean(namedPlaceholders) && !Array.isArray(values);
  if (source.writes || hasNames || typeof text !== "string") return undefined;
  const isHarmless = values === undefined || (Array.isArray(values) && areHarmless(text, values));
  if (!isHarmless) return undefined;
  const statement: Draft = { ...source.reading, text };
  passOn(given, statement);
  if (values !== undefined) statement["values"] = values;
  return statement;
}

/** A query that is given as a text with `?` and the values of these; undefined where it takes more than that. */
export function plainStatement(
  text: unknown,
  values: unknown,
  given: Options | undefined,
  { writes, reading }: Source,
): Draft | undefined {
  if (writes || typeof text !== "string" || text === "" || given?.["namedPlaceholders"]) return undefined;
  if (values !== undefined && !(Array.isArray(values) && areHarmless(text, values))) return undefined;
  if (factsOf(text).command.startsWith("LOAD")) return undefined; // reads a file of the application's
  const statement: Draft = { ...reading, text };
  if (given !== undefined) passOn(given, statement);
  if (values !== undefined) statement["values"] = values;
  return statement;
}

export function executeStatement(command: ExecuteCommand, { reading }: Source): Statement {
  const { sql, parameters = [], _executeOptions: given } = command;
  const statement: Draft = { ...reading, text: sql, values: parameters, execute: true };
  passOn(given, statement);
  return statement;
}

function passOn(given: Options, statement: Draft): void {
  for (const name of Object.keys(given)) {
    if (given[name] !== undefined && !NOT_PASSED_ON.has(name)) statement[name] = given[name];
  }
}
