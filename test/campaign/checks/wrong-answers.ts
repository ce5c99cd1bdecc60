import type { Check } from "./check.ts";

/** Reads see a sum that is kept, and what this process was acknowledged before. */
export const answersAreTrue: Check = ({ operations }) =>
  operations.flatMap(({ id, outcome }) =>
    outcome?.type === "wrong" ? [{ rule: "wrong answer" as const, operation: id, what: outcome.what }] : [],
  );
