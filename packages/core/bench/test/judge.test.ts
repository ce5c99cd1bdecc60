import { expect, test } from "vitest";
import type { Row } from "../src/compare.ts";
import { judge, judgeFigures } from "../src/judge.ts";
import type { Target } from "../src/suite.ts";

const row = (client: string, concurrency: number, ratio: number, p99Ratio = 1): Row => ({
  work: "select",
  concurrency,
  client,
  reference: "plain",
  ratio,
  opsPerSecond: 1000,
  p50Ms: 1,
  p99Ms: 2,
  p99Ratio,
});

const rows = [row("ours", 1, 0.994, 0.5), row("ours", 64, 2.4, 3), row("theirs", 64, 0.3), row("plain", 64, 1)];

test.each<[what: string, target: Target, values: number[], met: boolean[]]>([
  ["every cell of the client", { client: "ours", ratio: 1 }, [0.994, 2.4], [false, true]],
  ["one number of callers", { client: "ours", concurrency: 64, ratio: 2.5 }, [2.4], [false]],
  ["another work is not meant", { client: "ours", work: "update", ratio: 9 }, [], []],
  [
    "another client in place of the reference",
    { client: "ours", concurrency: 64, over: "theirs", ratio: 8 },
    [8],
    [true],
  ],
  ["the 99th percentile", { client: "ours", of: "p99", ratio: 1 }, [0.5, 3], [false, true]],
  ["to the two decimals that are printed", { client: "ours", concurrency: 1, ratio: 0.99 }, [0.994], [true]],
])("a target speaks of %s", (_, target, values, met) => {
  const verdicts = judge(rows, [target]);
  expect(verdicts.map(({ value }) => Number(value.toFixed(6)))).toEqual(values);
  expect(verdicts.map(({ isMet }) => isMet)).toEqual(met);
});

test("a client that took no part is compared with nothing, and nothing is met", () => {
  expect(judge(rows, [{ client: "ours", concurrency: 1, over: "theirs", ratio: 0 }])).toMatchObject([{ isMet: false }]);
});

test("figures are held against their own bound, those without one against nothing", () => {
  const figures = [
    { name: "first write", value: 50.001, unit: "ms", atMost: 50 },
    { name: "never", value: Number.POSITIVE_INFINITY, unit: "ms", atMost: 50 },
    { name: "memory", value: 9, unit: "bytes" },
  ];
  expect(judgeFigures(figures).map(({ what, isMet }) => [what, isMet])).toEqual([
    ["first write", true],
    ["never", false],
  ]);
});
