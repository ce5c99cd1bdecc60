import { splitText } from "@mirrorpool/sql";
import type { QualifiedName } from "../format/manifest.ts";

/** A statement of the definitions that come after the data. */
export interface PostStatement {
  readonly text: string;
  /** The table that it is about, as it is written; undefined where it is about something else. */
  readonly table: string | undefined;
  /** It makes an index of the table: such statements of different tables may run at the same time, others in their turn alone. */
  readonly isIndex: boolean;
}

const IDENTIFIER = String.raw`(?:"(?:[^"]|"")+"|[\w$]+)`;
const TABLE = String.raw`(${IDENTIFIER}(?:\.${IDENTIFIER})?)`;
const INDEX = new RegExp(`^CREATE (?:UNIQUE )?INDEX ${IDENTIFIER} ON (?:ONLY )?${TABLE}`, "u");
const KEY = new RegExp(
  String.raw`^ALTER TABLE (?:ONLY )?${TABLE}\s+ADD CONSTRAINT ${IDENTIFIER} (?:PRIMARY KEY|UNIQUE|EXCLUDE)`,
  "u",
);
const ALTERED = new RegExp(`^ALTER TABLE (?:ONLY )?${TABLE}`, "u");
const IDENTIFIERS = new RegExp(IDENTIFIER, "gu");
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
    .map((text) => {
      const indexed = INDEX.exec(text)?.[1] ?? KEY.exec(text)?.[1];
      return { text, table: indexed ?? ALTERED.exec(text)?.[1], isIndex: indexed !== undefined };
    });
}

/** A name as a manifest has it, of one that is quoted where it has to be. Pure. */
export function unquoteTable(written: string): QualifiedName {
  const [schema = "", name = ""] = (written.match(IDENTIFIERS) ?? []).map((each) =>
    each.startsWith('"') ? each.slice(1, -1).replaceAll('""', '"') : each,
  );
  return { schema, name };
}
