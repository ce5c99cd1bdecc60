import { type Place, type Reader, readerOf } from "../read.ts";
import { isWord, type Token } from "../token.ts";
import { PRIMARY_FUNCTIONS } from "./functions.ts";
import { parenthesisKind } from "./parenthesis.ts";
import { isPrimaryOnly } from "./primary-only.ts";

/**
 * Who may answer a statement that is provably a read, see {@link readerOf}. It is for the primary when it names something that is
 * to be read there (see `primary-only.ts` and `PRIMARY_FUNCTIONS`). `SHOW` is too: who asks for `transaction_read_only` wants to
 * know whether a write will do. `COPY … TO STDOUT` is as good a read as the query that it copies.
 */
export function postgresReader(tokens: readonly Token[]): Reader | undefined {
  if (isWord(tokens[0], "show")) return "primary";
  return readerOf(isWord(tokens[0], "copy") ? copiedQuery(tokens) : tokens, {
    parenthesisKind,
    readerOfCall,
    readerOfToken,
  });
}

const TABLE: Token = { kind: "word", text: "table" };

/** The query whose rows a `COPY … TO STDOUT` hands out: of a table, `TABLE t`. Empty for any other COPY. */
function copiedQuery(tokens: readonly Token[]): readonly Token[] {
  const to = tokens.findIndex((token, index) => isWord(token, "to") && isWord(tokens[index + 1], "stdout"));
  if (to < 0) return [];
  const copied = tokens.slice(1, to);
  if (copied[0]?.kind === "(") return copied.at(-1)?.kind === ")" ? copied.slice(1, -1) : [];
  // a list of columns may follow, which cannot be told from a call
  const columns = copied.findIndex(({ kind }) => kind === "(");
  return [TABLE, ...(columns < 0 ? copied : copied.slice(0, columns))];
}

function readerOfCall({ tokens, index }: Place): Reader {
  const name = tokens[index - 1];
  return name?.kind === "word" && PRIMARY_FUNCTIONS.has(name.text) ? "primary" : "any";
}

function readerOfToken({ tokens, index, frame }: Place): Reader | undefined {
  const token = tokens[index];
  if (token?.kind !== "word" && token?.kind !== "name") return "any";
  if (token.kind === "word" && tokens[index - 1]?.kind !== ".") {
    if (WRITING_WORDS.has(token.text)) return undefined;
    if (token.text === "for" && frame !== "call") return undefined;
  }
  return mayBeRead(tokens, index, token.text) ? "any" : "primary";
}

const WRITING_WORDS: ReadonlySet<string> = new Set(["insert", "update", "delete", "merge", "into"]);

/** Whether what an identifier names may be read on a mirror. Names of functions are not judged here but with their parenthesis. */
function mayBeRead(tokens: readonly Token[], index: number, text: string): boolean {
  if (tokens[index + 1]?.kind === "(" || !isPrimaryOnly(text)) return true;
  return text === "pg_catalog" && tokens[index + 1]?.kind === "." && tokens[index + 3]?.kind === "(";
}
