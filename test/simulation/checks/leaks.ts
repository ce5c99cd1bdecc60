import type { Check, Violation } from "./check.ts";
import { all } from "./check.ts";

/** After close() no connection is open and no timer armed. */
export const nothingIsLeaked: Check = (happenings) => {
  const violations: Violation[] = [];
  const finals = all(happenings, "final");
  const rule = "nothing is leaked";
  for (const { at, openConnections, armedTimers } of finals) {
    if (openConnections.length > 0) {
      violations.push({ rule, at, what: `connections are open after close(): ${openConnections.join(", ")}` });
    }
    if (armedTimers > 0) violations.push({ rule, at, what: `${armedTimers} timers are armed after close()` });
  }
  if (finals.length === 0) violations.push({ rule, at: 0, what: "it was never closed" });
  return violations;
};
