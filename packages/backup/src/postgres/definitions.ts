import { splitText } from "@mirrorpool/sql";

/** A statement of the definitions that come after the data. */
export interface PostStatement {
  readonly text: string;
  /** The table whose index it makes: such statements of different tables may run at the same time. Undefined: in its turn, alone. */
  readonly indexOf: string | undefined;
}

const IDENTIFIER = String.raw`(?:"(?:[^"]|"")+"|[\w$]+)`;
const TABLE = String.raw`(${IDENTIFIER}(?:\.${IDENTIFIER})?)`;
const INDEX = new RegExp(`^CREATE (?:UNIQUE )?INDEX ${IDENTIFIER} ON (?:ONLY )?${TABLE}`, "u");
const KEY = new RegExp(
  String.raw`^ALTER TABLE (?:ONLY )?${TABLE}\s+ADD CONSTRAINT ${IDENTIFIER} (?:PRIMARY KEY|UNIQUE|EXCLUDE)`,
  "u",
);
const OWNER = new RegExp(`^ALTER [^]* OWNER TO ${IDENTIFIER}$`, "u");
const PRIVILEGE = /^(GRANT|REVOKE|ALTER DEFAULT PRIVILEGES)\b/;
/** Only the owner may, and these are often somebody else's. */
const FOREIGN_COMMENT = /^COMMENT ON (EXTENSION|SCHEMA public)\b/;

/**
 * The statements of one part of the definitions, as `pg_dump` wrote them.
 * @param withOwners false: without owners and privileges, whose roles may not be there
 */
export function statementsOf(sql: string, withOwners: boolean): readonly string[] {
  const plain = withoutMetaCommands(sql);
  const statements = splitText(plain) ?? [plain];
  const kept = withOwners
    ? statements
    : statements.filter((text) => !OWNER.test(text) && !PRIVILEGE.test(text) && !FOREIGN_COMMENT.test(text));
  // one that is there in every database has no need to be made
  return kept.map((text) => text.replace(/^CREATE SCHEMA (?!IF NOT EXISTS)/, "CREATE SCHEMA IF NOT EXISTS "));
}

/** Newer versions of `pg_dump` put their text between two commands to `psql`, with a word of their own. */
function withoutMetaCommands(sql: string): string {
  const [line, word] = /^\\restrict (\w+)\r?\n/m.exec(sql) ?? [];
  if (line === undefined || word === undefined) return sql;
  return sql.replace(line, "").replace(new RegExp(`^\\\\unrestrict ${word}\\r?$`, "m"), "");
}

/** Splits what comes after the data. Settings are for all of it, and none of its statements. */
export function toPostStatements(statements: readonly string[]): readonly PostStatement[] {
  return statements
    .filter((text) => !/^(SET|SELECT pg_catalog\.set_config)\b/.test(text))
    .map((text) => ({ text, indexOf: INDEX.exec(text)?.[1] ?? KEY.exec(text)?.[1] }));
}
