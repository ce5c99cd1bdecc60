import { type Check, countEffects, writes } from "./check.ts";

/** With these errors nobody claims to know. */
const UNKNOWN = new Set(["COMMIT_UNKNOWN"]);

/** A write that certainly failed has no effect, and what is there was written by somebody. */
export const failedWritesHaveNoEffect: Check = ({ operations, final }) => {
  const effects = countEffects(final);
  const failed = operations.flatMap((operation) => {
    const { id, kind, outcome } = operation;
    if (!writes(operation) || outcome?.type !== "failed" || UNKNOWN.has(outcome.code ?? "")) return [];
    if (!effects.has(id)) return [];
    const what = `a ${kind} that failed with ${outcome.name} (${outcome.code}) is there all the same`;
    return [{ rule: "effect of a failed write" as const, operation: id, what }];
  });
  const strange = [...effects.keys()]
    .filter((id) => operations[id] === undefined || !writes(operations[id]))
    .map((id) => ({ rule: "effect of nobody" as const, operation: id, what: "no write of this number was called" }));
  return [...failed, ...strange];
};
