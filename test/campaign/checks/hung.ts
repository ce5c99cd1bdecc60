import type { Check } from "./check.ts";

/** How late a call may end on a machine that has other things to do as well. */
const LATE_MS = 2500;

/** Every call ends, and not later than its deadline. */
export const everyCallEnds: Check = ({ operations }) =>
  operations.flatMap(({ id, kind, endedAt = Number.POSITIVE_INFINITY, deadlineAt }) => {
    if (endedAt <= deadlineAt + LATE_MS) return [];
    const late = Number.isFinite(endedAt) ? `ended ${Math.round(endedAt - deadlineAt)} ms too late` : "never ended";
    return [{ rule: "hung" as const, operation: id, what: `a ${kind} ${late}` }];
  });
