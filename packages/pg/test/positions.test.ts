import { postgres } from "@mirrorpool/pg";
import { expect, test } from "vitest";

const { positions } = postgres();

test.each([
  ["0/3000000", "0/3000000", true, 0],
  ["0/3000001", "0/3000000", true, 1],
  ["0/2FFFFFF", "0/3000000", false, 0],
  ["1/0", "0/FFFFFFFF", true, 1],
  ["0/FFFFFFFF", "1/0", false, 0],
  ["A/10", "9/FFFFFFFF", true, 17],
  ["FFFFFFFF/FFFFFFFF", "0/0", true, Number(2n ** 64n - 1n)],
])("%s and %s: covers is %s, the distance %d bytes", (ahead, behind, covers, distance) => {
  expect(positions.covers(ahead, behind)).toBe(covers);
  expect(positions.distanceBytes(ahead, behind)).toBe(distance);
});
