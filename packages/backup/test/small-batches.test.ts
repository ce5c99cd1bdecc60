import { expect, test } from "vitest";
import { toPostStatements, unquoteTable } from "../src/postgres/definitions.ts";
import { smallBatches } from "../src/target/small-batches.ts";

const MEBIBYTE = 1024 ** 2;
const sizes = (given: readonly number[]) => smallBatches(given, (bytes) => bytes).map((batch) => [...batch]);

test("what is small shares a transaction, what is big has one of its own, in their order", () => {
  const big = 9 * MEBIBYTE;
  expect(sizes([1, 2, big, 3, big, big, 4, 5])).toEqual([[1, 2], [big], [3], [big], [big], [4, 5]]);
  expect(sizes([5 * MEBIBYTE, 4 * MEBIBYTE, 1])).toEqual([[5 * MEBIBYTE], [4 * MEBIBYTE, 1]]);
  expect(sizes([])).toEqual([]);
});

test("ten thousand empty tables are two hundred transactions", () => {
  const batches = sizes(Array.from({ length: 10_000 }, () => 0));
  expect(batches).toHaveLength(200);
  expect(batches.flat()).toHaveLength(10_000);
});

test.each([
  ["ALTER TABLE ONLY public.item\n    ADD CONSTRAINT item_pkey PRIMARY KEY (id)", "public", "item", true],
  ['CREATE UNIQUE INDEX a ON "my ""own""".t USING btree (id)', 'my "own"', "t", true],
  [
    'ALTER TABLE ONLY public."a.b"\n    ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES public.c(id)',
    "public",
    "a.b",
    false,
  ],
])("the table of %j is found by its name, and whether it makes an index of it", (text, schema, name, isIndex) => {
  const [statement] = toPostStatements([text]);
  expect(statement?.isIndex).toBe(isIndex);
  expect(unquoteTable(statement?.table ?? "")).toEqual({ schema, name });
});
