import { createCache } from "./cache.ts";
import { type Dialect, dialects, type ServerOptions } from "./dialect.ts";
import type { StatementFacts } from "./facts.ts";

/** How much an inspector remembers. */
export interface InspectorOptions extends ServerOptions {
  /** Texts remembered at most. At least 2. Default 2000. */
  readonly maxEntries?: number;
  /** Texts longer than this (in UTF-16 units) are inspected each time and not remembered. Default 8192. */
  readonly maxTextLength?: number;
}

/** Inspects statements of one dialect and remembers the answers. */
export interface Inspector {
  /** The facts of a text; the same object for the same text while it is remembered. Never throws. */
  inspect(sql: string): StatementFacts;
}

/**
 * Makes an inspector with a bounded memory: at most `maxEntries` texts of at most `maxTextLength` each.
 *
 * @throws {RangeError} when an option or the dialect is not valid
 */
export function createInspector(dialect: Dialect, options: InspectorOptions = {}): Inspector {
  const { maxEntries = 2000, maxTextLength = 8192, sqlMode } = options;
  if (!Object.hasOwn(dialects, dialect)) {
    throw new RangeError(`dialect: expected one of ${Object.keys(dialects).join(", ")}, got ${String(dialect)}`);
  }
  requireInteger("maxEntries", maxEntries, 2);
  requireInteger("maxTextLength", maxTextLength, 0);

  requireMode(dialect, sqlMode);

  const { inspect: inspectDialect } = dialects[dialect]({ sqlMode });
  const cache = createCache<StatementFacts>(maxEntries);
  // each statement is asked for several times in a row
  let last = "";
  let lastFacts = inspectDialect(last);
  return {
    inspect(sql) {
      if (sql === last) return lastFacts;
      if (sql.length > maxTextLength) return inspectDialect(sql);
      last = sql;
      lastFacts = cache.get(sql, inspectDialect);
      return lastFacts;
    },
  };
}

function requireMode(dialect: Dialect, sqlMode: unknown): void {
  if (sqlMode === undefined || (dialect === "mysql" && typeof sqlMode === "string")) return;
  const expected = dialect === "mysql" ? "the text of @@sql_mode" : `nothing for ${dialect}`;
  throw new RangeError(`sqlMode: expected ${expected}, got ${String(sqlMode)}`);
}

function requireInteger(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name}: expected an integer >= ${least}, got ${String(value)}`);
  }
}
