import type { StatementFacts } from "./facts.ts";
import { inspectPostgres } from "./postgres/inspect.ts";

/** The SQL dialects this package understands. */
export type Dialect = "postgres";

/** What a dialect has to bring: a pure function that never throws, in time linear in the length of the text. */
export type InspectDialect = (sql: string) => StatementFacts;

/** Every dialect and its implementation. A dialect is one folder and one line here. */
export const dialects: Readonly<Record<Dialect, InspectDialect>> = { postgres: inspectPostgres };
