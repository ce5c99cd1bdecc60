import { expect, test } from "vitest";
import { steepest } from "../src/scale/growth.ts";
import { growthFigures } from "../src/scale/scale.ts";

const points = (costs: readonly number[]) => costs.map((cost, index) => ({ size: 10 ** index, cost }));

test.each<[what: string, costs: number[], exponent: number, from: number]>([
  ["linear", [5, 50, 500], 1, 1],
  ["better than linear", [100, 110, 121], Math.log10(1.1), 1],
  ["quadratic at the end", [1, 10, 1000], 2, 10],
  ["steep at the beginning, then flat", [1, 100, 100], 2, 1],
])("a cost that grows %s is found where it grows most", (_, costs, exponent, from) => {
  const growth = steepest(points(costs));
  expect(growth?.exponent).toBeCloseTo(exponent);
  expect(growth?.from).toBe(from);
});

test("one size tells nothing of growth", () => {
  expect(steepest(points([1]))).toBeUndefined();
});

test("growth is held against linear growth, with some room for chance", () => {
  const scale = { table: { title: "", columns: [], rows: [] }, costs: [["probes", points([1, 11])]] as const };
  expect(growthFigures(scale)).toMatchObject([{ name: "probes, steepest from 1 to 10", atMost: 1.15 }]);
});
