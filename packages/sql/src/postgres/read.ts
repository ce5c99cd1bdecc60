import { isWord, type Token } from "../token.ts";
import { endsWithList, type ParenthesisKind, parenthesisKind } from "./parenthesis.ts";
import { isPrimaryOnly } from "./primary-only.ts";

/**
 * Whether a statement is provably a read. It is one when it begins as a query and
 *
 * 1. holds none of the words that write: `INSERT`, `UPDATE`, `DELETE`, `MERGE`, `INTO`, a locking `FOR`;
 * 2. names nothing that is to be read on the primary (see `primary-only.ts`);
 * 3. has no parenthesis that could belong to a function call, other than of a function known to have no effects.
 *
 * The third rule needs to know, of each parenthesis, what it is. Where that cannot be told from the tokens around it,
 * the answer is no. The statement is taken to be valid SQL: an invalid one has no effect anywhere.
 */
export function isRead(tokens: readonly Token[]): boolean {
  const start = tokens.findIndex((token) => token.kind !== "(");
  if (!isWord(tokens[start], "select", "values", "table", "with")) return false;

  const open: Frame[] = [{ kind: "query", inWithList: false }];
  /** The kind of the parenthesis that was closed last. */
  let closed: ParenthesisKind = "list";

  for (const [index, token] of tokens.entries()) {
    const frame = open.at(-1);
    if (frame === undefined) return false;
    switch (token.kind) {
      case "(": {
        const kind = parenthesisKind(tokens, index, frame.inWithList, closed);
        if (kind === undefined) return false;
        if (endsWithList(tokens, index)) frame.inWithList = false;
        open.push({ kind, inWithList: false });
        break;
      }
      case ")":
        closed = frame.kind;
        open.pop();
        break;
      case "name":
        if (!mayBeRead(tokens, index, token.text)) return false;
        break;
      case "word":
        if (!mayBeRead(tokens, index, token.text)) return false;
        if (tokens[index - 1]?.kind === ".") break;
        if (WRITING_WORDS.has(token.text)) return false;
        if (token.text === "for" && frame.kind !== "call") return false;
        if (token.text === "with" && isFirst(tokens, index)) frame.inWithList = true;
        if (QUERY_WORDS.has(token.text)) frame.inWithList = false;
        break;
    }
  }
  return open.length === 1;
}

/** A parenthesis that is open, or the statement itself. */
interface Frame {
  readonly kind: ParenthesisKind;
  /** Whether we are between a `WITH` and the query that it serves. */
  inWithList: boolean;
}

const QUERY_WORDS: ReadonlySet<string> = new Set(["select", "values", "table"]);
const WRITING_WORDS: ReadonlySet<string> = new Set(["insert", "update", "delete", "merge", "into"]);

function isFirst(tokens: readonly Token[], index: number): boolean {
  return index === 0 || tokens[index - 1]?.kind === "(";
}

/** Whether an identifier may be read on a mirror. Names of functions are not judged here but with their parenthesis. */
function mayBeRead(tokens: readonly Token[], index: number, text: string): boolean {
  if (tokens[index + 1]?.kind === "(" || !isPrimaryOnly(text)) return true;
  return text === "pg_catalog" && tokens[index + 1]?.kind === "." && tokens[index + 3]?.kind === "(";
}
