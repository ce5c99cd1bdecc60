import type { SessionChange } from "./changes.ts";
import type { StatementFacts } from "./facts.ts";
import { mysqlChanges } from "./mysql/changes.ts";
import { inspectMysql } from "./mysql/inspect.ts";
import { postgresChanges } from "./postgres/changes.ts";
import { inspectPostgres } from "./postgres/inspect.ts";

/** The SQL dialects this package understands. */
export type Dialect = "postgres" | "mysql";

/** What a dialect has to bring: pure functions that never throw, in time linear in the length of the text. */
export interface DialectFunctions {
  readonly inspect: (sql: string) => StatementFacts;
  readonly changes: (
    sql: string,
    values: readonly unknown[],
    quote: (value: string) => string,
  ) => readonly SessionChange[] | undefined;
}

/** Every dialect and its implementation. A dialect is one folder and one line here. */
export const dialects: Readonly<Record<Dialect, DialectFunctions>> = {
  postgres: { inspect: inspectPostgres, changes: postgresChanges },
  mysql: { inspect: (sql) => inspectMysql(sql), changes: (sql, values, quote) => mysqlChanges(sql, values, quote) },
};
