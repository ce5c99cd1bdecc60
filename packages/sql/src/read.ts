import { endsWithList, type ParenthesisKind } from "./parenthesis.ts";
import { isWord, type Token } from "./token.ts";

/** Who may answer a read: any node, or the primary only. */
export type Reader = "any" | "primary";

/** A token in a query, and what surrounds it. */
export interface Place {
  readonly tokens: readonly Token[];
  readonly index: number;
  /** The parenthesis that it stands in; the statement itself is a query. */
  readonly frame: ParenthesisKind;
  /** Whether it stands between a `WITH` and the query that it serves. */
  readonly inWithList: boolean;
  /** The kind of the parenthesis that was closed last. */
  readonly closed: ParenthesisKind;
}

/** What a dialect knows of the parts of a query. */
export interface QueryRules {
  /** The kind of the parenthesis that opens here; undefined if it may be the call of a function that has effects. */
  parenthesisKind(place: Place): ParenthesisKind | undefined;
  /** Who may answer what calls the function before this parenthesis. */
  readerOfCall(place: Place): Reader;
  /** Who may answer a query with this token, which is no parenthesis; undefined if it writes, or might. */
  readerOfToken(place: Place): Reader | undefined;
}

/**
 * Who may answer a statement that is provably a read; `undefined` where that is not certain. It is a read when it begins as a
 * query and
 *
 * 1. holds nothing that writes or locks;
 * 2. has no parenthesis that could belong to a function call, other than of a function known to have no effects.
 *
 * The second rule needs to know, of each parenthesis, what it is. Where that cannot be told from the tokens around it,
 * the answer is no. The statement is taken to be valid SQL: an invalid one has no effect anywhere.
 */
export function readerOf(tokens: readonly Token[], rules: QueryRules): Reader | undefined {
  const start = tokens.findIndex((token) => token.kind !== "(");
  if (!isWord(tokens[start], "select", "values", "table", "with")) return undefined;
  return readerOfQuery(tokens, rules);
}

/** The same of a part of a statement that is a query or could stand in one. */
export function readerOfQuery(tokens: readonly Token[], rules: QueryRules): Reader | undefined {
  let reader: Reader = "any";
  const open: { readonly kind: ParenthesisKind; inWithList: boolean }[] = [{ kind: "query", inWithList: false }];
  let closed: ParenthesisKind = "list";

  for (const [index, token] of tokens.entries()) {
    const frame = open.at(-1);
    if (frame === undefined) return undefined;
    const place = { tokens, index, frame: frame.kind, inWithList: frame.inWithList, closed };
    if (token.kind === "(") {
      const kind = rules.parenthesisKind(place);
      if (kind === undefined) return undefined;
      if (kind === "call" && rules.readerOfCall(place) === "primary") reader = "primary";
      if (endsWithList(tokens, index)) frame.inWithList = false;
      open.push({ kind, inWithList: false });
    } else if (token.kind === ")") {
      closed = frame.kind;
      open.pop();
    } else {
      const found = rules.readerOfToken(place);
      if (found === undefined) return undefined;
      if (found === "primary") reader = "primary";
      if (token.kind !== "word" || tokens[index - 1]?.kind === ".") continue;
      if (token.text === "with" && isFirst(tokens, index)) frame.inWithList = true;
      if (QUERY_WORDS.has(token.text)) frame.inWithList = false;
    }
  }
  return open.length === 1 ? reader : undefined;
}

const QUERY_WORDS: ReadonlySet<string> = new Set(["select", "values", "table"]);

function isFirst(tokens: readonly Token[], index: number): boolean {
  return index === 0 || tokens[index - 1]?.kind === "(";
}
