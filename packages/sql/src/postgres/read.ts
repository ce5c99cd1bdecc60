import { isWord, type Token } from "../token.ts";
import { PRIMARY_FUNCTIONS } from "./functions.ts";
import { endsWithList, type ParenthesisKind, parenthesisKind } from "./parenthesis.ts";
import { isPrimaryOnly } from "./primary-only.ts";

/**
 * Who may answer a statement that is provably a read: any node, or the primary only; `undefined` where that is not certain.
 * It is a read when it begins as a query and
 *
 * 1. holds none of the words that write: `INSERT`, `UPDATE`, `DELETE`, `MERGE`, `INTO`, a locking `FOR`;
 * 2. has no parenthesis that could belong to a function call, other than of a function known to have no effects.
 *
 * The second rule needs to know, of each parenthesis, what it is. Where that cannot be told from the tokens around it,
 * the answer is no. The statement is taken to be valid SQL: an invalid one has no effect anywhere. It is for the primary when
 * it names something that is to be read there (see `primary-only.ts` and `PRIMARY_FUNCTIONS`). `SHOW` is too: who asks for
 * `transaction_read_only` wants to know whether a write will do.
 */
export function readerOf(tokens: readonly Token[]): "any" | "primary" | undefined {
  if (isWord(tokens[0], "show")) return "primary";
  const start = tokens.findIndex((token) => token.kind !== "(");
  if (!isWord(tokens[start], "select", "values", "table", "with")) return undefined;
  let reader: "any" | "primary" = "any";

  const open: Frame[] = [{ kind: "query", inWithList: false }];
  /** The kind of the parenthesis that was closed last. */
  let closed: ParenthesisKind = "list";

  for (const [index, token] of tokens.entries()) {
    const frame = open.at(-1);
    if (frame === undefined) return undefined;
    switch (token.kind) {
      case "(": {
        const kind = parenthesisKind(tokens, index, frame.inWithList, closed);
        if (kind === undefined) return undefined;
        if (kind === "call" && isForPrimary(tokens[index - 1])) reader = "primary";
        if (endsWithList(tokens, index)) frame.inWithList = false;
        open.push({ kind, inWithList: false });
        break;
      }
      case ")":
        closed = frame.kind;
        open.pop();
        break;
      case "name":
        if (!mayBeRead(tokens, index, token.text)) reader = "primary";
        break;
      case "word":
        if (!mayBeRead(tokens, index, token.text)) reader = "primary";
        if (tokens[index - 1]?.kind === ".") break;
        if (WRITING_WORDS.has(token.text)) return undefined;
        if (token.text === "for" && frame.kind !== "call") return undefined;
        if (token.text === "with" && isFirst(tokens, index)) frame.inWithList = true;
        if (QUERY_WORDS.has(token.text)) frame.inWithList = false;
        break;
    }
  }
  return open.length === 1 ? reader : undefined;
}

function isForPrimary(name: Token | undefined): boolean {
  return name?.kind === "word" && PRIMARY_FUNCTIONS.has(name.text);
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

/** Whether what an identifier names may be read on a mirror. Names of functions are not judged here but with their parenthesis. */
function mayBeRead(tokens: readonly Token[], index: number, text: string): boolean {
  if (tokens[index + 1]?.kind === "(" || !isPrimaryOnly(text)) return true;
  return text === "pg_catalog" && tokens[index + 1]?.kind === "." && tokens[index + 3]?.kind === "(";
}
