import { isIdentifier, isWord, type Token } from "../token.ts";

/** One assignment of a `SET`. */
export interface Assignment {
  /** `next` is for the next transaction alone; where it is `unclear` the systems differ. */
  readonly scope: "user" | "session" | "next" | "global" | "unclear";
  /** Lower case, in the form that is the same for all its names; empty for a user variable, whose name is no token. */
  readonly name: string;
  /** Where it stands: its scope, where that is written, and its value included. */
  readonly start: number;
  readonly end: number;
  /** Where its value begins. */
  readonly value: number;
}

/**
 * What a `SET` assigns, in its order; undefined for other kinds of `SET`, and for what is not understood. `SET TRANSACTION`,
 * `SET NAMES`, `SET CHARACTER SET` and `SET ROLE` assign, too.
 */
export function assignmentsOf(tokens: readonly Token[]): readonly Assignment[] | undefined {
  if (isWord(tokens[1], "role") && !isAssigned(tokens, 2)) {
    return [{ scope: "session", name: "role", start: 1, end: tokens.length, value: 2 }];
  }
  const characteristics = transaction(tokens);
  if (characteristics !== undefined) return characteristics;
  const assignments: Assignment[] = [];
  let scope: Assignment["scope"] | undefined;
  for (const [start, end] of parts(tokens)) {
    let at = start;
    const given = scopeOf(tokens[at]);
    if (given !== undefined && isIdentifier(tokens[at + 1])) {
      scope = given;
      at += 1;
    }
    const found = assignment(tokens, at, end, scope);
    if (found === undefined) return undefined;
    assignments.push({ ...found, start, end });
  }
  return assignments;
}

type Found = Pick<Assignment, "scope" | "name" | "value">;

function assignment(
  tokens: readonly Token[],
  at: number,
  end: number,
  scope: Assignment["scope"] | undefined,
): Found | undefined {
  const first = tokens[at];
  if (first?.kind === "variable") {
    return isAssigned(tokens, at + 1) ? { scope: "user", name: "", value: at + 2 } : undefined;
  }
  if (first?.kind === "@@") {
    const given = tokens[at + 2]?.kind === "." ? scopeOf(tokens[at + 1]) : undefined;
    const found = variable(tokens, given === undefined ? at + 1 : at + 3, given ?? "session");
    // MySQL sets these for the next transaction alone
    const isUnclear = found !== undefined && given === undefined && TRANSACTION.has(found.name);
    return isUnclear ? { ...found, scope: "unclear" } : found;
  }
  if (!isAssigned(tokens, at + 1) && end > at + 1) {
    if (isWord(first, "names")) return { scope: "session", name: "names", value: at + 1 };
    if (isWord(first, "charset")) return { scope: "session", name: "character set", value: at + 1 };
    if (isWord(first, "character", "char") && isWord(tokens[at + 1], "set")) {
      return { scope: "session", name: "character set", value: at + 2 };
    }
  }
  return variable(tokens, at, scope ?? "session");
}

function variable(tokens: readonly Token[], at: number, scope: Assignment["scope"]): Found | undefined {
  const first = tokens[at];
  if (!isIdentifier(first)) return undefined;
  const part = tokens[at + 1]?.kind === "." ? tokens[at + 2] : undefined;
  if (tokens[at + 1]?.kind === "." && !isIdentifier(part)) return undefined;
  const end = part === undefined ? at + 1 : at + 3;
  if (!isAssigned(tokens, end)) return undefined;
  const written = (isIdentifier(part) ? `${first.text}.${part.text}` : first.text).toLowerCase();
  const name = OTHER_NAMES.get(written) ?? written;
  return { scope, name, value: end + 1 };
}

const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["tx_isolation", "transaction_isolation"],
  ["tx_read_only", "transaction_read_only"],
  ["identity", "last_insert_id"],
]);

const TRANSACTION: ReadonlySet<string> = new Set(["transaction_isolation", "transaction_read_only"]);

/** `SET [GLOBAL | SESSION] TRANSACTION ISOLATION LEVEL …, READ ONLY`. */
function transaction(tokens: readonly Token[]): readonly Assignment[] | undefined {
  const scope = scopeOf(tokens[1]);
  const at = scope === undefined ? 1 : 2;
  if (!isWord(tokens[at], "transaction") || !isWord(tokens[at + 1], "isolation", "read")) return undefined;
  return parts(tokens, at + 1).map(([start, end]) => ({
    scope: scope ?? "next",
    name: isWord(tokens[start], "isolation") ? "transaction_isolation" : "transaction_read_only",
    start,
    end,
    value: start,
  }));
}

function scopeOf(token: Token | undefined): Assignment["scope"] | undefined {
  if (isWord(token, "session", "local")) return "session";
  return isWord(token, "global", "persist", "persist_only") ? "global" : undefined;
}

function isAssigned(tokens: readonly Token[], at: number): boolean {
  return tokens[at]?.kind === "operator" || tokens[at]?.kind === ":=";
}

/** What stands between the commas behind the first word. */
function parts(tokens: readonly Token[], from: number = 1): readonly (readonly [start: number, end: number])[] {
  const found: [number, number][] = [];
  let start = from;
  let depth = 0;
  for (let index = from; index < tokens.length; index += 1) {
    const kind = tokens[index]?.kind;
    if (kind === "(") depth += 1;
    if (kind === ")") depth -= 1;
    if (kind !== "," || depth > 0) continue;
    found.push([start, index]);
    start = index + 1;
  }
  found.push([start, tokens.length]);
  return found;
}
