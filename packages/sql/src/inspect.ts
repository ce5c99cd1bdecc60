import { type Dialect, dialects, type ServerOptions } from "./dialect.ts";
import type { StatementFacts } from "./facts.ts";

/**
 * Tells from its text what a statement is: provably a read or not, and what it does to transaction and session.
 * Pure; takes time linear in the length of the text; never throws, whatever the text.
 */
export function inspect(sql: string, dialect: Dialect, server: ServerOptions = {}): StatementFacts {
  return dialects[dialect](server).inspect(sql);
}
