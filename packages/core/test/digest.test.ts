import { expect, test } from "vitest";
import type { Result } from "../src/driver.ts";
import { digestResult } from "../src/session/digest.ts";

const answer = (changes: Partial<Result> = {}): Result => ({
  rows: [{ id: 1, note: "a" }],
  rowCount: 1,
  fields: [{ name: "id" }, { name: "note" }],
  command: "SELECT",
  ...changes,
});

const long = (last: string): Result => answer({ rows: [{ id: 1, note: "x".repeat(1000) + last }] });

test.each([
  ["another value", answer({ rows: [{ id: 2, note: "a" }] })],
  ["another column", answer({ fields: [{ name: "id" }, { name: "text" }] })],
  ["no row", answer({ rows: [], rowCount: 0 })],
  ["another count", answer({ rowCount: 2 })],
  ["another command", answer({ command: "INSERT" })],
  ["a null", answer({ rows: [{ id: null, note: "a" }] })],
  ["a number beyond all others", answer({ rows: [{ id: 1n, note: "a" }] })],
  ["the id of a row", answer({ insertId: 7 })],
  ["several results", answer({ results: [answer(), answer()] })],
])("an answer with %s has another digest", (_, other) => {
  expect(digestResult(answer())).toBe(digestResult(answer()));
  expect(digestResult(other)).not.toBe(digestResult(answer()));
});

test("a number that JSON has no form for is no null", () => {
  const digests = [null, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((note) =>
    digestResult(answer({ rows: [{ id: 1, note }] })),
  );
  expect(new Set(digests).size).toBe(4);
});

test("a long answer has a short digest, and every part of it counts", () => {
  expect(digestResult(long("a")).length).toBeLessThan(50);
  expect(digestResult(long("a"))).toBe(digestResult(long("a")));
  expect(digestResult(long("b"))).not.toBe(digestResult(long("a")));
});

test("a value that JSON has no form for is told by its own", () => {
  const of = (id: bigint): string => digestResult(answer({ rows: [{ id }] }));
  expect(of(2n ** 60n)).toBe(of(2n ** 60n));
  expect(of(2n ** 60n)).not.toBe(of(2n ** 60n + 1n));
});
