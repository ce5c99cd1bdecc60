import { type Piece, partOf } from "../piece.ts";
import { isWord, type Token } from "../token.ts";

/** A statement in a statement. */
export interface InnerStatement {
  readonly piece: Piece;
  /** The command that it stands in. */
  readonly name: string;
}

/**
 * What an `EXPLAIN` explains, an `ANALYZE` of MariaDB runs, and a `SET STATEMENT … FOR` is for. It is executed or only planned:
 * either way the whole does no more than that statement does, so their facts are the same.
 */
export function innerStatement(piece: Piece): InnerStatement | undefined {
  const { tokens } = piece;
  const first = tokens[0];
  if (isWord(first, "set") && isWord(tokens[1], "statement")) return ofSetStatement(piece);
  const isAnalyze = isWord(first, "analyze");
  if (!isAnalyze && !isWord(first, "explain", "describe", "desc")) return undefined;
  let start = 1;
  for (;;) {
    if (isWord(tokens[start], "extended", "partitions", "analyze")) start += 1;
    else if (isWord(tokens[start], "format") && tokens[start + 1]?.kind === "operator") start += 3;
    else break;
  }
  // ANALYZE TABLE is another command
  if (!isStatement(tokens, start) || (isAnalyze && isWord(tokens[start], "table"))) return undefined;
  return { piece: partOf(piece, start), name: isAnalyze ? "ANALYZE" : "EXPLAIN" };
}

function isStatement(tokens: readonly Token[], at: number): boolean {
  if (tokens[at]?.kind === "(") return true;
  return isWord(tokens[at], "select", "with", "values", "table", "insert", "replace", "update", "delete");
}

/** Settings of plain values, for one statement. */
function ofSetStatement(piece: Piece): InnerStatement | undefined {
  const { tokens } = piece;
  const end = tokens.findIndex((token) => isWord(token, "for"));
  const isPlain = tokens.slice(2, end).every(({ kind }) => kind !== "(" && kind !== "variable" && kind !== ":=");
  if (end < 0 || !isPlain || !isStatement(tokens, end + 1)) return undefined;
  return { piece: partOf(piece, end + 1), name: "SET STATEMENT" };
}
