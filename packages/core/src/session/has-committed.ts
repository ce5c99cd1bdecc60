import type { Result, StatementFacts } from "../driver.ts";
import type { OpenTransaction } from "./binding.ts";

/**
 * The server has acknowledged a commit with this answer, and something may have been written. Doubt means yes: a function
 * may write, and so may an UPDATE that found no row, by a trigger. Pure.
 * @param transaction the one that was open before the statement
 */
export function hasCommitted(
  facts: StatementFacts,
  intent: "read" | "write",
  result: Result,
  transaction: OpenTransaction | undefined,
): boolean {
  if (intent === "read") return false;
  if (facts.implicitCommit === true && transaction?.hasWritten === true) return true;
  switch (facts.transaction) {
    case "commit":
    case "chain":
    case "prepare":
      return transaction?.hasWritten === true && result.command !== "ROLLBACK";
    case "none":
      return transaction === undefined && !isSessionStateOnly(facts, result);
    case "mixed":
      return true;
    case "begin":
    case "rollback":
    case "savepoint":
    case "rollback-to":
    case "release":
      return false;
    default:
      return facts.transaction satisfies never;
  }
}

/** SET, LISTEN and the like: no rows and no count, and nothing that outlives the session. */
function isSessionStateOnly(facts: StatementFacts, result: Result): boolean {
  return facts.session !== "none" && !facts.multiple && result.rowCount === null;
}
