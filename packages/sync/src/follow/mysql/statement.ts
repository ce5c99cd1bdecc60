/** What a statement in the binary log means for whoever follows rows. */
export type LoggedStatement =
  | { readonly type: "begin" | "commit" | "rollback" | "partial-rollback" | "xa" | "xa-end" | "definition" | "other" }
  /** Changes rows, and is logged in place of them. */
  | { readonly type: "change" }
  | { readonly type: "truncate"; readonly database: string | undefined; readonly table: string };

const NAME = "(?:`((?:[^`]|``)+)`|([\\p{L}\\p{N}_$]+))";
const TRUNCATE = new RegExp(`^TRUNCATE(?:\\s+TABLE)?\\s+${NAME}(?:\\s*\\.\\s*${NAME})?`, "iu");
const COMMENT = /^(?:\s+|\/\*(?!!)[\s\S]*?\*\/|--[^\n]*\n|#[^\n]*\n)+/;

/** Pure. */
export function readStatement(text: string): LoggedStatement {
  const statement = text.replace(COMMENT, "");
  const [word = ""] = /^[a-z]+/i.exec(statement) ?? [];
  switch (word.toUpperCase()) {
    case "BEGIN":
      return { type: "begin" };
    case "COMMIT":
      return { type: "commit" };
    case "ROLLBACK":
      return { type: /^ROLLBACK\s+(WORK\s+)?TO\b/i.test(statement) ? "partial-rollback" : "rollback" };
    case "XA":
      return { type: /^XA\s+(COMMIT|ROLLBACK)\b/i.test(statement) ? "xa-end" : "xa" };
    case "TRUNCATE": {
      const match = TRUNCATE.exec(statement);
      if (match === null) return { type: "definition" };
      const [, quoted, plain, otherQuoted, otherPlain] = match;
      const first = quoted?.replaceAll("``", "`") ?? plain ?? "";
      const second = otherQuoted?.replaceAll("``", "`") ?? otherPlain;
      return second === undefined
        ? { type: "truncate", database: undefined, table: first }
        : { type: "truncate", database: first, table: second };
    }
    case "ALTER":
    case "CREATE":
    case "DROP":
    case "RENAME":
      return { type: "definition" };
    case "INSERT":
    case "UPDATE":
    case "DELETE":
    case "REPLACE":
    case "LOAD":
    case "CALL":
    case "WITH":
    case "DO":
      return { type: "change" };
    default:
      return { type: "other" };
  }
}
