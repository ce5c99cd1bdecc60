import type { SessionChange } from "./changes.ts";
import { type Dialect, dialects, type ServerOptions } from "./dialect.ts";

/**
 * What a text changes in its session, statement by statement, as SQL that takes no parameters. Reads, and what ends with the
 * transaction, change nothing. Undefined where it cannot be told: such state cannot be carried to another connection.
 *
 * @param values of the text's parameters
 * @param quote writes a value as a literal of the dialect, whatever is in it
 */
export function sessionChanges(
  sql: string,
  dialect: Dialect,
  values: readonly unknown[],
  quote: (value: string) => string,
  server: ServerOptions = {},
): readonly SessionChange[] | undefined {
  return dialects[dialect](server).changes(sql, values, quote);
}
