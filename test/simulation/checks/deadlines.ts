import type { Check, Of, Violation } from "./check.ts";
import { all } from "./check.ts";

/** How long a closing pool waits for a server to take a cancel. Goodbyes, which are said meanwhile, take less. */
const CANCEL_MS = 500;

/** How late the pool may notice a deadline. */
const RESOLUTION_MS = 10;
/** Against the rounding of sums of fractions. */
const ROUNDING_MS = 0.001;

/** Every call ends by its deadline and by its signal, however the servers behave. A stalled process is excused until it runs on. */
export const everyCallEndsInTime: Check = (happenings) => {
  const violations: Violation[] = [];
  const calls = new Map(all(happenings, "call").map((call) => [call.call, call]));
  const aborts = new Map(all(happenings, "abort").map((abort) => [abort.call, abort.at]));
  const stalls = all(happenings, "stall");
  const ended = new Set<number>();
  for (const end of all(happenings, "end")) {
    ended.add(end.call);
    const call = calls.get(end.call);
    if (call === undefined) continue;
    const abortedAt = aborts.get(end.call) ?? (call.parent === undefined ? undefined : aborts.get(call.parent));
    const due = excused(Math.max(call.at, dueAt(call, abortedAt)), stalls);
    if (end.at <= due + ROUNDING_MS) continue;
    const late = `${(end.at - due).toFixed(3)} ms too late`;
    violations.push({
      rule: "every call ends in time",
      at: end.at,
      what: `call ${end.call} (${call.text}) ended ${late}`,
    });
  }
  for (const call of calls.values()) {
    if (ended.has(call.call)) continue;
    violations.push({
      rule: "every call ends in time",
      at: call.at,
      what: `call ${call.call} (${call.text}) never ended`,
    });
  }
  return violations;
};

function dueAt(
  { text, deadline = Number.POSITIVE_INFINITY }: Of<"call">,
  abortedAt = Number.POSITIVE_INFINITY,
): number {
  // servers are asked to end what was cut off; those that do not listen are not waited for
  const goodbyeMs = text === "close" ? CANCEL_MS : 0;
  // a callback that thinks does not look at the signal
  const heardAt = text.includes("think") ? Number.POSITIVE_INFINITY : abortedAt;
  return Math.min(deadline + RESOLUTION_MS + goodbyeMs, heardAt);
}

function excused(due: number, stalls: readonly Of<"stall">[]): number {
  let result = due;
  for (const { at, forMs } of stalls) {
    if (at <= result && at + forMs >= result - RESOLUTION_MS) result = Math.max(result, at + forMs) + RESOLUTION_MS;
  }
  return result;
}
