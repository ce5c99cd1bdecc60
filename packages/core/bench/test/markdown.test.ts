import { expect, test } from "vitest";
import type { Verdict } from "../src/judge.ts";
import { renderMarkdown, replaceBetweenMarkers } from "../src/markdown.ts";

const machine = { node: "v24.21.0", cores: 2, server: "PostgreSQL 18.4" };

const verdict = (callers: number | undefined, value: number, wanted: number, isMet: boolean): Verdict => ({
  what: callers === undefined ? "first write" : "select",
  callers,
  value,
  unit: callers === undefined ? "ms" : "of plain",
  wanted,
  bound: callers === undefined ? "at most" : "at least",
  isMet,
});

test("one line for each target, whatever the number of callers, and what is not met stands out", () => {
  const verdicts = [verdict(64, 2.2, 2.3, false), verdict(8, 1.9, 1.8, true), verdict(undefined, 31.26, 50, true)];
  expect(renderMarkdown([{ suite: "query", rows: [], verdicts }], machine).split("\n")).toEqual([
    "| suite | what | callers | measured | target |",
    "| --- | --- | --- | --- | --- |",
    "| query | select | 8 / 64 | 1.90 / **2.20** of plain | at least 1.80 / 2.30 |",
    "| query | first write |  | 31.26 ms | at most 50 |",
    "",
    "Measured by `npm run bench`: Node.js 24.21.0, 2 processors, PostgreSQL 18.4.",
  ]);
});

test("suites that did not run keep their rows", () => {
  const verdicts = [verdict(8, 1.9, 1.8, true)];
  const table = (suite: string, before?: string): string =>
    renderMarkdown([{ suite, rows: [], verdicts }], machine, before);
  const text = replaceBetweenMarkers("<!-- bench:begin -->\n<!-- bench:end -->", table("query"));
  const rows = table("query, MariaDB", text).split("\n").slice(2, 4);
  expect(rows.map((row) => row.split(" | ")[0])).toEqual(["| query", "| query, MariaDB"]);
  expect(table("query", text)).toBe(table("query"));
});

test("only what is between the markers is replaced", () => {
  const text = "before `<!-- bench:begin -->`\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nafter\n";
  expect(replaceBetweenMarkers(text, "new")).toBe(
    "before `<!-- bench:begin -->`\n<!-- bench:begin -->\n\nnew\n\n<!-- bench:end -->\nafter\n",
  );
});

test.each(["", "<!-- bench:begin -->", "<!-- bench:end -->\n<!-- bench:begin -->"])(
  "a text without both markers in their order is refused: %j",
  (text) => {
    expect(() => replaceBetweenMarkers(text, "new")).toThrow("markers");
  },
);
