import { describe, expect, test } from "vitest";
import { Budget } from "../src/routing/budget.ts";
import { Hedging } from "../src/routing/hedging.ts";
import { Percentile } from "../src/routing/percentile.ts";

const noted = (share: number, times: readonly number[]): Percentile => {
  const percentile = new Percentile(share);
  for (const ms of times) percentile.note(ms);
  return percentile;
};

describe("the percentile", () => {
  const repeat = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);
  const cases: readonly (readonly [string, number, readonly number[], number])[] = [
    ["of equal times is that time", 0.95, repeat(20, 8), 8],
    ["lies above the many and below the few", 0.95, [...repeat(96, 2), ...repeat(4, 900)], 2],
    ["is that of the few when they are more than few", 0.95, [...repeat(90, 2), ...repeat(10, 900)], 900],
    ["of other shares", 0.5, [...repeat(11, 1), ...repeat(9, 100)], 1],
    ["forgets what was long ago", 0.95, [...repeat(500, 100), ...repeat(3000, 1)], 1],
    ["follows what a node has become", 0.95, [...repeat(3000, 1), ...repeat(100, 100)], 100],
    ["takes the shortest times for a twentieth of a millisecond", 0.95, repeat(30, 0), 0.05],
    ["has a place for the longest", 0.95, repeat(30, 600_000), 600_000],
  ];
  test.each(cases)("%s", (_, share, times, expected) => {
    const ms = noted(share, times).ms ?? 0;
    expect(ms).toBeGreaterThanOrEqual(expected * 0.999);
    expect(ms).toBeLessThan(expected * 1.2);
  });

  test("is not known before there are enough times", () => {
    expect(noted(0.95, repeat(19, 1)).ms).toBeUndefined();
  });
});

describe("the budget", () => {
  const cases: readonly (readonly [number, number, number])[] = [
    [0.05, 19, 0],
    [0.05, 20, 1],
    [0.05, 100, 5],
    // what is saved is bounded
    [0.05, 10_000, 10],
    [0.1, 30, 3],
    [1, 1, 1],
    [0, 1000, 0],
  ];
  test.each(cases)("a share of %f of %i reads allows %i", (share, earned, expected) => {
    const budget = new Budget(share);
    for (let count = 0; count < earned; count += 1) budget.earn();
    let spent = 0;
    while (budget.trySpend()) spent += 1;
    expect(spent).toBe(expected);
  });

  test("holds at any time, however it is spent", () => {
    const budget = new Budget(0.05);
    let spent = 0;
    for (let reads = 1; reads <= 10_000; reads += 1) {
      budget.earn();
      if (budget.trySpend()) spent += 1;
      expect(spent).toBeLessThanOrEqual(0.05 * reads + 1e-6);
    }
    expect(spent).toBe(500);
  });
});

test("what is slow is known of each node by itself", () => {
  const hedging = new Hedging(1);
  for (let count = 0; count < 20; count += 1) {
    hedging.note("near", 1);
    hedging.note("far", 50);
  }
  expect(hedging.begin("near")).toBeLessThan(1.2);
  expect(hedging.begin("far")).toBeGreaterThanOrEqual(50);
  expect(hedging.begin("new")).toBeUndefined();
  expect([1, 2, 3, 4].map(() => hedging.trySpend())).toEqual([true, true, true, false]);
});
