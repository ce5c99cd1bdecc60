import { expect, test } from "vitest";
import { soak } from "./soak.ts";

const MIB = 1024 * 1024;

test("a minute under a fault every second leaves memory, sockets and timers at their level", {
  timeout: 240_000,
}, async () => {
  const lines: string[] = [];
  const { before, after, closed } = await soak({ faults: 60, seed: 1, print: (text) => void lines.push(text) });
  expect(after.uncaught).toBe(0);
  expect(after.heapUsedBytes - before.heapUsedBytes).toBeLessThan(8 * MIB);
  // at most `max` and the monitor's own on each of the three nodes, whatever happened
  expect(before.sockets).toBeGreaterThan(3);
  expect(after.sockets).toBeLessThanOrEqual(3 * (10 + 1));
  expect(after.timers).toBeLessThanOrEqual(before.timers + 2);
  expect(closed.sockets).toBe(0);
  expect(closed.timers).toBe(0);
  // it has worked, and saw nothing but what the promise table allows
  expect(after.outcomes["ok"] ?? 0).toBeGreaterThan(before.outcomes["ok"] ?? 0);
  const allowed = new Set([
    "ok",
    "CommitUnknownError",
    "SessionLostError",
    "NoPrimaryError",
    "TransactionLostError",
    "DeadlineError",
  ]);
  expect(Object.keys(after.outcomes).filter((name) => !allowed.has(name))).toEqual([]);
  expect(after.longestCallMs).toBeLessThan(8000 + 1000);
});
