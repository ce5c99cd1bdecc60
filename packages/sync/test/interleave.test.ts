import { expect, test } from "vitest";
import { interleave } from "../src/copy/interleave.ts";

const pieces = (...tables: readonly [table: number, bytes: number][]) =>
  tables.map(([table, bytes]) => ({ table, bytes }));
const bytesOf = ({ bytes }: { readonly bytes: number }) => bytes;
const tablesOf = (given: readonly { readonly table: number }[]) => given.map(({ table }) => table);

test("chunks that are written side by side are of different tables, as far as there are some", () => {
  const given = pieces([0, 9], [0, 9], [0, 9], [0, 9], [1, 5], [1, 5], [2, 1]);
  const ordered = interleave(given, 2, bytesOf);
  expect([...ordered].sort((one, other) => one.table - other.table)).toEqual(given);
  expect(tablesOf(ordered).slice(0, 5)).toEqual([0, 1, 0, 1, 0]);
});

test("one table alone stays in its order, and so do tables of one chunk", () => {
  const alone = pieces([3, 4], [3, 2], [3, 1]);
  expect(interleave(alone, 4, bytesOf)).toEqual(alone);
  const small = pieces([0, 9], [1, 8], [2, 7]);
  expect(interleave(small, 2, bytesOf)).toEqual(small);
  expect(interleave([], 2, bytesOf)).toEqual([]);
});

test("ten thousand tables beside a big one take no time to speak of, and none is forgotten", () => {
  const big = Array.from({ length: 1000 }, () => ({ table: 10_000, bytes: 64 }));
  const given = [...big, ...Array.from({ length: 10_000 }, (_, table) => ({ table, bytes: 1 }))];
  const ordered = interleave(given, 4, bytesOf);
  expect(ordered).toHaveLength(given.length);
  expect(new Set(ordered).size).toBe(given.length);
});
