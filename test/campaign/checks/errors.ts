import type { Operation } from "../history.ts";
import type { Check } from "./check.ts";

/** Timers may be early by their resolution. */
const EARLY_MS = 20;

/**
 * Every error is one that the promise table allows where it happened, given what this workload does: commit ledger and replay
 * on, no state that cannot move, no stream, synchronous mirroring.
 */
export const errorsAreExplained: Check = ({ operations }) =>
  operations.flatMap((operation) => {
    const { id, kind, outcome } = operation;
    if (outcome?.type !== "failed" || isAllowed(operation)) return [];
    const what = `${kind}: ${outcome.name} (${outcome.code}): ${outcome.message}`;
    return [{ rule: "unexplained error" as const, operation: id, what }];
  });

function isAllowed({ kind, outcome, endedAt = 0, deadlineAt }: Operation): boolean {
  const hasWaited = endedAt >= deadlineAt - EARLY_MS;
  switch (outcome?.type === "failed" ? outcome.code : undefined) {
    // "no primary within the caller's deadline", and the limit of rule 3 for all other waits
    case "NO_PRIMARY":
    case "NO_NODE":
    case "DEADLINE":
    case "ACQUIRE_TIMEOUT":
      return hasWaited;
    // the ledger settles the outcome, unless the deadline comes first
    case "COMMIT_UNKNOWN":
      return hasWaited && (kind === "transfer" || kind === "append" || kind === "read-modify-write");
    // "an open transaction before COMMIT": only where a statement answers with what others have changed meanwhile
    case "REPLAY_MISMATCH":
      return kind === "read-modify-write";
    // the same: it is replayed, unless the deadline comes before a new primary
    case "TRANSACTION_LOST":
      return hasWaited && (kind === "transfer" || kind === "read-modify-write");
    // none of the transactions is beyond replay, and no error of the database itself is provoked
    default:
      return false;
  }
}
