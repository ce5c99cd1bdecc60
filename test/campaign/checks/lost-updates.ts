import type { Check, Violation } from "./check.ts";

/** Each read-modify-write has seen the one before it: a counter's values are 0, 1, 2, ..., each seen once. */
export const noUpdateIsLost: Check = ({ final }) => {
  const violations: Violation[] = [];
  for (const [counter, value] of final.counters) {
    const seen = final.readings
      .filter((reading) => reading.counter === counter)
      .sort((one, other) => one.seen - other.seen);
    const gap = seen.findIndex((reading, index) => reading.seen !== index);
    if (gap !== -1) {
      const what = `counter ${counter}: expected that one saw ${gap}, and the next value seen is ${seen[gap]?.seen}`;
      violations.push({ rule: "lost update", operation: seen[gap]?.op ?? -1, what });
    } else if (seen.length !== value) {
      violations.push({ rule: "lost update", what: `counter ${counter} is ${value} after ${seen.length} increments` });
    }
  }
  return violations;
};
