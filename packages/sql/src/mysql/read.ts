import type { Piece } from "../piece.ts";
import { type Place, type QueryRules, type Reader, readerOf } from "../read.ts";
import { isWord, type Token } from "../token.ts";
import { PRIMARY_FUNCTIONS } from "./functions.ts";
import { parenthesisKind } from "./parenthesis.ts";
import { isPrimaryOnly } from "./primary-only.ts";
import type { Modes } from "./sql-mode.ts";

/**
 * Who may answer a statement that is provably a read, see {@link readerOf}. It is for the primary when it names something that is
 * to be read there, or asks for the values of variables. `SHOW` and `DESCRIBE` ask for definitions, or for the server itself.
 */
export function mysqlReader(piece: Piece, modes: Modes): Reader | undefined {
  const rules = queryRules(piece, modes);
  const [first, second, third] = piece.tokens;
  if (!isWord(first, "show", "desc", "describe", "explain", "help")) return readerOf(piece.tokens, rules);
  // what the statement before has left on its connection
  if (isWord(first, "show") && (isWord(second, "warnings", "errors") || isWord(third, "warnings", "errors")))
    return undefined;
  if (isWord(second, "count") || piece.tokens.some(({ kind }) => kind === "(" || kind === "variable")) return undefined;
  return piece.tokens.some((token) => isWord(token, "into")) ? undefined : "primary";
}

/** The rules of one statement: whether space stands before a parenthesis is seen in its text. */
export function queryRules({ spans }: Piece, { ignoreSpace }: Modes): QueryRules {
  const isAdjacent = (index: number): boolean => ignoreSpace === true || spans[index - 1]?.end === spans[index]?.start;
  return {
    parenthesisKind: (place) => parenthesisKind(place, isAdjacent(place.index)),
    readerOfCall: ({ tokens, index }) => {
      const name = tokens[index - 1];
      return name?.kind === "word" && PRIMARY_FUNCTIONS.has(name.text) ? "primary" : "any";
    },
    readerOfToken,
  };
}

function readerOfToken({ tokens, index, frame }: Place): Reader | undefined {
  const token = tokens[index];
  switch (token?.kind) {
    case ":=":
      return undefined;
    // what the session has set, or what is hidden from us has: a trigger
    case "variable":
    case "@@":
      return "primary";
    case "word":
      if (tokens[index - 1]?.kind === ".")
        return SEQUENCE_WORDS.has(token.text) ? undefined : readerOfName(tokens, index);
      return isWriting(tokens, index, token.text, frame === "call") ? undefined : readerOfName(tokens, index);
    case "name":
      return tokens[index - 1]?.kind === "." && SEQUENCE_WORDS.has(token.text.toLowerCase())
        ? undefined
        : readerOfName(tokens, index);
    default:
      return "any";
  }
}

function readerOfName(tokens: readonly Token[], index: number): Reader {
  const token = tokens[index];
  const isAsking = token?.kind === "word" && ASKING_WORDS.has(token.text);
  return isAsking || isPrimaryOnly(tokens, index) ? "primary" : "any";
}

/** Without a parenthesis they ask what the function of this name answers. */
const ASKING_WORDS: ReadonlySet<string> = new Set(["current_user", "current_role"]);
/** `s.nextval` takes a value of a sequence, in a mode of MariaDB. */
const SEQUENCE_WORDS: ReadonlySet<string> = new Set(["nextval", "currval"]);
/** Reserved words, but for the last one: the number of rows that it makes known is asked for on the same connection. */
const WRITING_WORDS: ReadonlySet<string> = new Set([
  "delete",
  "into",
  "lock",
  "update",
  "procedure",
  "sql_calc_found_rows",
]);

function isWriting(tokens: readonly Token[], index: number, word: string, isInCall: boolean): boolean {
  const next = tokens[index + 1];
  // INSERT() and REPLACE() are functions of strings
  if (word === "insert" || word === "replace") return next?.kind !== "(";
  // SUBSTRING(… FOR …), USE INDEX FOR JOIN, FOR SYSTEM_TIME; NEXT VALUE FOR takes a value of a sequence
  if (word === "for") {
    if (isWord(tokens[index - 1], "value")) return true;
    return !isInCall && !isWord(next, "join", "order", "group", "system_time");
  }
  return WRITING_WORDS.has(word);
}
