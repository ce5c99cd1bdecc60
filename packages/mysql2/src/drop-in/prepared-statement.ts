import type { BaseConnection, Callback, PrepareCommand } from "./internals.ts";

/** What `prepare()` gives: a text whose executions are prepared on whichever connection they get. */
export function preparedStatement(connection: BaseConnection, { query, options }: PrepareCommand): object {
  return {
    query,
    // of the server, which is not asked before it is known which one
    id: 0,
    columns: [],
    parameters: [],
    _connection: connection,
    execute: (parameters?: unknown, callback?: Callback) =>
      connection.execute({ ...options, sql: query, values: undefined }, parameters ?? [], callback),
    close: () => connection,
  };
}
