import { expect, test } from "vitest";
import { judgePlan } from "../src/plan-trial.ts";

const times = (count: number, ...values: readonly number[]): number[] =>
  Array.from({ length: count }, (_, index) => values[index % values.length] as number);

type Case = readonly [sentence: string, prepared: number[], plain: number[], verdict: ReturnType<typeof judgePlan>];

const table: readonly Case[] = [
  ["nothing is said of no runs", [], [], undefined],
  ["nor of few that differ little", times(8, 30), times(8, 10), undefined],
  ["few are enough where the difference is a plain one", times(4, 200), times(4, 10), "slower"],
  ["but not where one of them has been fast", [200, 200, 200, 90], times(4, 10), undefined],
  ["nor where one kind is missing", times(20, 200), times(3, 10), undefined],
  ["three times as long is slower", times(9, 30), times(9, 10), "slower"],
  ["less than twice is chance", times(9, 19), times(9, 10), "good"],
  ["so is what no caller feels", times(9, 0.9), times(9, 0.1), "good"],
  ["a faster one is good", times(9, 1), times(9, 10), "good"],
  ["times that vary in the same way by the values are no difference", times(10, 1, 100), times(10, 1, 100), "good"],
  ["nor are a few outliers of the machine", [...times(7, 5), 500, 500], times(9, 5), "good"],
  [
    "a plan that is slow for most values is slower, whatever it is for the others",
    times(9, 40, 40, 40, 40, 5),
    times(9, 5),
    "slower",
  ],
];

test.each(table)("%s", (_, prepared, plain, verdict) => {
  expect(judgePlan({ prepared, plain })).toBe(verdict);
});
