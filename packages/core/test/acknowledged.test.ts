import { expect, test } from "vitest";
import { systemEnvironment } from "../src/clock.ts";
import { Acknowledged } from "../src/session/acknowledged.ts";

test.each([
  ["those there are, while there is room", 2, ["1", "2"]],
  ["all of them, when it is full", 3, ["1", "2", "3"]],
  ["the last ones, when there were more", 4, ["2", "3", "4"]],
  ["the last ones, also the second time around", 8, ["6", "7", "8"]],
])("what was acknowledged is kept in its order: %s", (_, count, expected) => {
  const acknowledged = new Acknowledged(3);
  for (let at = 1; at <= count; at += 1) acknowledged.add(String(at), at);
  expect(acknowledged.since(0)).toEqual(expected);
  expect(acknowledged.since(count - 1)).toEqual([String(count)]);
  expect(acknowledged.since(count)).toEqual([]);
});

test("tokens are version 7 UUIDs: different ones, ordered by the time of day", () => {
  const before = Date.now();
  const tokens = Array.from({ length: 1000 }, () => systemEnvironment.newToken());
  const after = Date.now();
  const times = tokens.map((token) => Number.parseInt(token.slice(0, 13).replace("-", ""), 16));
  for (const token of tokens)
    expect(token).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set(tokens).size).toBe(1000);
  expect(times).toEqual(times.toSorted((one, other) => one - other));
  expect(times[0]).toBeGreaterThanOrEqual(before);
  expect(times.at(-1)).toBeLessThanOrEqual(after);
});
