import { expect, test } from "vitest";
import { compareWith, parseBaseline, record } from "../src/baseline.ts";
import type { Report } from "../src/report.ts";

const machine = { node: "v24.0.0", cores: 2, server: "PostgreSQL 18.4" };

const report = (suite: string, ratio: number): Report => ({
  suite,
  rows: ["ours", "plain"].map((client) => ({
    work: "select",
    concurrency: 8,
    client,
    reference: "plain",
    ratio: client === "plain" ? 1 : ratio,
    opsPerSecond: 1,
    p50Ms: 1,
    p99Ms: 1,
    p99Ratio: 1,
  })),
  figures: [{ name: "memory", value: 1234.567, unit: "bytes" }],
  verdicts: [],
});

test("a baseline keeps ratios and figures, and never the reference itself", () => {
  expect(record([report("query", 1.23456)], machine).entries).toEqual([
    { suite: "query", what: "select, callers 8: ours", value: 1.235, unit: "of plain" },
    { suite: "query", what: "memory", value: 1235, unit: "bytes" },
  ]);
});

test("suites that did not run keep what they had", () => {
  const before = record([report("query", 1), report("orm", 1)], machine);
  const after = record([report("query", 2)], machine, before);
  expect(after.entries.filter(({ unit }) => unit === "of plain").map(({ suite, value }) => [suite, value])).toEqual([
    ["orm", 1],
    ["query", 2],
  ]);
});

test("a later run stands beside the baseline, with what is new", () => {
  const before = record([report("query", 2)], machine);
  const { rows } = compareWith(before, [report("query", 1), report("orm", 1)]);
  expect(rows.map(([suite, what, then, now, , change]) => [suite, what, then, now, change])).toEqual([
    ["query", "select, callers 8: ours", 2, 1, "0.50"],
    ["query", "memory", 1235, 1235, "1.00"],
    ["orm", "select, callers 8: ours", "", 1, "new"],
    ["orm", "memory", "", 1235, "new"],
  ]);
});

test("a file that is no baseline is refused by its name", () => {
  expect(() => parseBaseline("[]", "some.json")).toThrow("some.json is no baseline");
  expect(parseBaseline(JSON.stringify(record([], machine)), "some.json").machine).toEqual(machine);
});
