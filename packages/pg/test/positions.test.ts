import { expect, test } from "vitest";
import { endOfWal, positions } from "../src/positions.ts";

const BLOCK = 8192;
const SEGMENT = 16 * 1024 * 1024;

test.each([
  ["0/2", "0/1", true],
  ["0/1", "0/1", true],
  ["0/1", "0/2", false],
  ["1/0", "0/FFFFFFFF", true],
  ["0/FFFFFFFF", "1/0", false],
  ["A/0", "9/FF", true],
])("a node at %s has everything up to %s: %s", (position, other, isCovered) => {
  expect(positions.covers(position, other)).toBe(isCovered);
});

test.each([
  ["0/10", "0/0", 16],
  ["1/0", "0/FFFFFFFF", 1],
  ["0/0", "0/10", 0],
])("from %s back to %s it is %i bytes", (ahead, behind, bytes) => {
  expect(positions.distanceBytes(ahead, behind)).toBe(bytes);
});

test.each([
  ["in the middle of a page", "0/1002100", "0/1002100"],
  ["right behind the header of a page that nobody has written", "0/1002018", "0/1002000"],
  ["right behind the header of a segment that nobody has written", "3/1000028", "3/1000000"],
  ["40 bytes into a page that begins no segment", "0/1002028", "0/1002028"],
])("the WAL of an idle primary ends where its last record ends: %s", (_, insert, end) => {
  expect(endOfWal(insert, BLOCK, SEGMENT)).toBe(end);
});
