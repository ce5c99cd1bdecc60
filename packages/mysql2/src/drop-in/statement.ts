import type { Statement } from "@mirrorpool/core";
import type { ExecuteCommand, QueryCommand } from "./internals.ts";

type Options = Readonly<Record<string, unknown>>;

/** What of a query's options is said in another way, or is ours. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  ...["sql", "values", "timeout", "namedPlaceholders", "text", "channel", "execute", "own", "holder"],
]);

/**
 * A query as the pool runs it. Where its values cannot change what it is, the text is that which the application wrote: it says
 * more than one with values in it, and is the same each time.
 * @param reading how rows are read, where the query does not say it
 */
export function queryStatement({ sql, values, _queryOptions: given }: QueryCommand, reading: Options): Statement {
  const { sql: written } = given;
  const isAsWritten = typeof written === "string" && Array.isArray(values) && areHarmless(written, values);
  const text = isAsWritten ? { text: written, values, sql } : { text: sql, sql };
  return { ...reading, ...passedOn(given), ...text };
}

export function executeStatement(command: ExecuteCommand, reading: Options): Statement {
  const { sql, parameters = [], _executeOptions: given } = command;
  return { ...reading, ...passedOn(given), text: sql, values: parameters, execute: true };
}

function passedOn(given: Options): Options {
  const entries = Object.entries(given).filter(([name, value]) => value !== undefined && !NOT_PASSED_ON.has(name));
  return Object.fromEntries(entries);
}

/** `??` is a name, and an object may be any SQL at all. */
function areHarmless(text: string, values: readonly unknown[]): boolean {
  return !text.includes("??") && values.every(isPlain);
}

function isPlain(value: unknown): boolean {
  if (typeof value !== "object") return typeof value !== "function";
  return (
    value === null || value instanceof Date || Buffer.isBuffer(value) || (Array.isArray(value) && value.every(isPlain))
  );
}
