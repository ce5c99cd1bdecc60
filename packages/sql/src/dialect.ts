import type { SessionChange } from "./changes.ts";
import type { StatementFacts } from "./facts.ts";
import { mysqlChanges } from "./mysql/changes.ts";
import { inspectMysql } from "./mysql/inspect.ts";
import { type Modes, parseSqlMode, UNKNOWN_MODES } from "./mysql/sql-mode.ts";
import { postgresChanges } from "./postgres/changes.ts";
import { inspectPostgres } from "./postgres/inspect.ts";

/** The SQL dialects this package understands. `mysql` is that of MySQL and of MariaDB. */
export type Dialect = "postgres" | "mysql";

/** What is known of the servers that will read a text. */
export interface ServerOptions {
  /**
   * Of MySQL and MariaDB: the `sql_mode` of every session, as `SELECT @@sql_mode` tells it. Default: not known. A text that could be
   * read in more than one way is then no read.
   */
  readonly sqlMode?: string | undefined;
}

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
export const dialects: Readonly<Record<Dialect, (server: ServerOptions) => DialectFunctions>> = {
  postgres: () => POSTGRES,
  mysql: ({ sqlMode }) => (sqlMode === undefined ? MYSQL : mysql(parseSqlMode(sqlMode))),
};

const POSTGRES: DialectFunctions = { inspect: inspectPostgres, changes: postgresChanges };
const MYSQL = mysql(UNKNOWN_MODES);

function mysql(modes: Modes): DialectFunctions {
  return {
    inspect: (sql) => inspectMysql(sql, modes),
    changes: (sql, values, quote) => mysqlChanges(sql, modes, values, quote),
  };
}
