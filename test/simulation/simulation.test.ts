import { expect, test } from "vitest";
import { findFailure, formatFailure, tryOut } from "./trial.ts";

const SEEDS_EACH = 1000;
const RANGES = Array.from({ length: 10 }, (_, index) => 1 + index * SEEDS_EACH);

test.each(RANGES)(
  "all rules hold for a thousand seeds from %i on",
  async (first) => {
    const failure = await findFailure(first, SEEDS_EACH);
    if (failure !== undefined) expect.fail(formatFailure(failure));
  },
  120_000,
);

test.each([1, 42, 1337])("seed %i gives the same trace, byte for byte, every time", async (seed) => {
  const first = (await tryOut(seed)).trace();
  await tryOut(seed + 1);
  const second = (await tryOut(seed)).trace();
  expect(first.length).toBeGreaterThan(10_000);
  expect(second).toBe(first);
});

test("different seeds give different histories", async () => {
  const traces = [];
  for (const seed of [1, 2, 3]) traces.push((await tryOut(seed)).trace());
  expect(new Set(traces).size).toBe(3);
});
