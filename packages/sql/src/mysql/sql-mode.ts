/** Those of a server's SQL modes that decide how a text is read. Undefined where that is not known. */
export interface Modes {
  /** Whether `"a"` is an identifier. Otherwise it is a string. */
  readonly ansiQuotes: boolean | undefined;
  /** Whether a backslash in a string is a character like any other. Otherwise it takes the next one with it. */
  readonly noBackslashEscapes: boolean | undefined;
  /** Whether space may stand between the name of a built-in function and its parenthesis. */
  readonly ignoreSpace: boolean | undefined;
}

export const UNKNOWN_MODES: Modes = Object.freeze({
  ansiQuotes: undefined,
  noBackslashEscapes: undefined,
  ignoreSpace: undefined,
});

/** Modes that stand for several, `ANSI_QUOTES` and `IGNORE_SPACE` among them. */
const COMBINED: readonly string[] = ["ANSI", "DB2", "MAXDB", "MSSQL", "ORACLE", "POSTGRESQL"];

/** Reads a mode as the server writes it: `SELECT @@sql_mode`. */
export function parseSqlMode(sqlMode: string): Modes {
  const names = sqlMode.split(",").map((name) => name.trim().toUpperCase());
  const has = (...any: readonly string[]): boolean => any.some((name) => names.includes(name));
  return Object.freeze({
    ansiQuotes: has("ANSI_QUOTES", ...COMBINED),
    noBackslashEscapes: has("NO_BACKSLASH_ESCAPES"),
    ignoreSpace: has("IGNORE_SPACE", ...COMBINED),
  });
}
