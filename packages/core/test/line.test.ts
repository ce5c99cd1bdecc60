import { expect, test } from "vitest";
import { QueueFullError } from "../src/errors.ts";
import type { Lease } from "../src/pool/lease.ts";
import { Line } from "../src/pool/line.ts";
import type { Waiter } from "../src/waiters.ts";

const waiter = (): Waiter<Lease> => ({ resolve: () => {}, reject: () => {} });

test("fast reads go before the others, each in the order in which they came", () => {
  const line = new Line("connections", 10);
  const [slow, fast, other, late] = [waiter(), waiter(), waiter(), waiter()] as const;
  line.join(slow, false);
  line.join(fast, true);
  line.join(other, false);
  line.join(late, true);
  line.leave(other);
  expect(line.size).toBe(3);
  expect([line.shift(), line.shift(), line.shift(), line.shift()]).toEqual([fast, late, slow, undefined]);
});

test("where fast reads have a connection that they share, what comes free is for the others", () => {
  const line = new Line("connections", 10);
  const [fast, slow, late] = [waiter(), waiter(), waiter()] as const;
  line.join(fast, true);
  line.join(slow, false);
  line.join(late, true);
  expect(line.fast).toBe(2);
  expect(line.shift(true)).toBe(slow);
  expect(line.shiftFast()).toBe(fast);
  expect(line.shift(true)).toBe(late);
});

test("its bound is for all together", () => {
  const line = new Line("connections", 2);
  line.join(waiter(), true);
  line.join(waiter(), false);
  expect(() => line.join(waiter(), true)).toThrow(QueueFullError);
});
