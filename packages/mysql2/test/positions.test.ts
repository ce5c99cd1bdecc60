import { mysql } from "@mirrorpool/mysql2";
import { describe, expect, test } from "vitest";

const { positions } = mysql();
const A = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B = "4f22fa47-71ca-11e1-9e33-c80aa9429562";
const C = "5a33fa47-71ca-11e1-9e33-c80aa9429562";
const G = "wsrep:6b44fa47-71ca-11e1-9e33-c80aa9429562";

describe("a position of MySQL covers another one", () => {
  test.each([
    ["that is the same", `${A}:1-5`, `${A}:1-5`, true],
    ["that is a part of it", `${A}:1-5`, `${A}:2-3`, true],
    ["of one transaction", `${A}:1-5`, `${A}:5`, true],
    ["in whatever case it is written", `${A}:1-5`, `${A.toUpperCase()}:5`, true],
    ["that lies in one of several intervals", `${A}:1-5:7-9`, `${A}:8-9`, true],
    ["though it was told in pieces", `${A}:1-3:4-5`, `${A}:2-5`, true],
    ["though it was told in pieces out of order", `${A}:4-9:1-3`, `${A}:2-5`, true],
    ["with fewer sources", `${A}:1-5,\n${B}:1-2`, `${B}:1`, true],
    ["but not one that goes on", `${A}:1-5`, `${A}:1-6`, false],
    ["but not across a gap", `${A}:1-5:7-9`, `${A}:5-7`, false],
    ["but not one of another source", `${A}:1-5`, `${B}:1`, false],
    ["but not one with a source more", `${A}:1-5`, `${A}:1-5,${B}:1`, false],
    ["with the same tag", `${A}:1-5:load:1-3`, `${A}:load:2`, true],
    ["but not one with a tag that it does not have", `${A}:1-5`, `${A}:load:2`, false],
    ["with numbers beyond what a double holds", `${A}:1-9007199254740993`, `${A}:9007199254740993`, true],
  ])("%s", (_, position, other, expected) => {
    expect(positions.covers(position, other)).toBe(expected);
  });
});

describe("where a server was promoted", () => {
  const end = `${A}:1-100,${B}:1-7~${B}`;

  test("covers what it had, and not what the former primary wrote beyond", () => {
    expect(positions.covers(end, `${A}:1-100`)).toBe(true);
    expect(positions.covers(end, `${A}:1-101`)).toBe(false);
  });

  test("is reached by a former primary that stood there, whatever the new one has written since", () => {
    expect(positions.covers(`${A}:1-100`, end)).toBe(true);
    expect(positions.covers(`${A}:1-103`, end)).toBe(true);
    expect(positions.covers(`${A}:1-99`, end)).toBe(false);
  });
});

describe("a position of MariaDB covers another one", () => {
  test.each([
    ["that is the same", "0-1-100", "0-1-100", true],
    ["with a lower number of the same server", "0-1-100", "0-1-99", true],
    ["but not one with a higher number", "0-1-100", "0-1-101", false],
    ["but not one of another server, whatever its number", "0-1-103", "0-2-102", false],
    ["whose last transaction it has, by the last of each server", "0-1-100,0-2-105", "0-2-105", true],
    ["whose earlier servers do not count", "0-2-105", "0-1-100,0-2-104", true],
    ["with fewer domains", "0-1-100,1-1-7", "1-1-7", true],
    ["but not one with a domain more", "0-1-100", "0-1-100,1-1-1", false],
    ["with numbers beyond what a double holds", "0-1-9007199254740993", "0-1-9007199254740992", true],
  ])("%s", (_, position, other, expected) => {
    expect(positions.covers(position, other)).toBe(expected);
  });
});

describe("a position of a Galera cluster", () => {
  test.each([
    ["covers a lower number", `${G}:10`, `${G}:9`, true],
    ["does not cover a higher one", `${G}:10`, `${G}:11`, false],
    ["says nothing of another cluster", `${G}:10`, `wsrep:${A}:1`, false],
    ["says nothing of another system", `${G}:10`, "0-1-1", false],
  ])("%s", (_, position, other, expected) => {
    expect(positions.covers(position, other)).toBe(expected);
  });
});

test.each(["nonsense", "0-1", "0-1-x", `${A}:x-1`, `${A.slice(1)}:1`, "wsrep:1:2"])(
  "%s is no position, which is an error and no answer",
  (text) => {
    expect(() => positions.covers(text, text)).toThrow(/not a/);
  },
);

describe("a claim supersedes another one", () => {
  const supersedes = positions.supersedes as NonNullable<typeof positions.supersedes>;
  test.each([
    [
      "that has nothing which it lacks, once its node has written itself",
      `${B}@${A}:1-100,${B}:1`,
      `${A}@${A}:1-100`,
      true,
    ],
    ["not while its node has written nothing", `${B}@${A}:1-100`, `${A}@${A}:1-100`, false],
    ["not by what it has of a third server", `${B}@${A}:1-100,${C}:1`, `${A}@${A}:1-100`, false],
    [
      "not when the other one has more: which came later nobody can tell",
      `${B}@${A}:1-100,${B}:1`,
      `${A}@${A}:1-103`,
      false,
    ],
    [
      "not by the last writes of an old primary, which were never mirrored",
      `${A}@${A}:1-103`,
      `${B}@${A}:1-100`,
      false,
    ],
    [
      "not after the primary came back to where it was: sets have no order",
      `${A}@${A}:1-105,${B}:1-5`,
      `${B}@${A}:1-100,${B}:1-5`,
      false,
    ],
    ["on MariaDB by the same rule", "2@0-1-100,0-2-101", "1@0-1-100", true],
    ["on MariaDB not while its node has written nothing", "2@0-1-100", "1@0-1-100", false],
    ["on MariaDB not when the other one has more", "2@0-1-100,0-2-101", "1@0-1-101", false],
    ["on MariaDB not by the last writes of an old primary", "1@0-1-103", "2@0-1-100", false],
    ["on MariaDB not by those of an old primary after two promotions", "1@0-2-5,0-1-9", "2@0-2-5,0-1-7", false],
    ["on MariaDB after the primary came back", "1@0-1-110,0-2-105", "2@0-1-100,0-2-105", true],
    ["by the number of its reign, whatever the two have written", `${B}@${A}:1-9@3`, `${A}@${A}:1-12@2`, true],
    ["on MariaDB by the number of its reign", "2@0-1-9,0-2-10@10", "1@0-1-12@9", true],
    ["not with a lower number, though it has more", "2@0-1-100,0-2-101@2", "1@0-1-100@3", false],
    ["with the same number by what they have written", "2@0-1-100,0-2-101@2", "1@0-1-100@2", true],
    ["not with the same number and writes of both", "2@0-1-99,0-2-100@2", "1@0-1-100@2", false],
    ["by the number of its reign where nothing else proves anything", `${B}@@3`, `${A}@${A}:1-12@2`, true],
    ["not with the same number where nothing else proves anything", `${B}@@3`, `${A}@@3`, false],
    ["not by a number where the other one has none", `${B}@${A}:1-9@3`, `${A}@${A}:1-12`, false],
    ["in a group by the number of the view", `view:179@7@${A}:1-4`, `view:179@6@${A}:1-5`, true],
    ["in a group by its number and not by its text", "view:179@10@", "view:179@9@", true],
    ["in a group not within a view", `view:179@7@${A}:1-5`, `view:179@7@${A}:1-4`, false],
    ["not of a group that was founded anew", "view:180@7@", "view:179@6@", false],
    ["not of another system", "1@0-1-100", `${A}@${A}:1`, false],
  ])("%s", (_, history, other, expected) => {
    expect(supersedes(history, other)).toBe(expected);
    if (expected) expect(supersedes(other, history)).toBe(false);
  });
});

describe("a node has followed a claim", () => {
  const hasFollowed = positions.hasFollowed as NonNullable<typeof positions.hasFollowed>;
  test.each([
    ["with more of its own writes than it was seen to have", `${A}@${A}:1-9,${B}:1-5`, `${B}@${A}:1-9,${B}:1-4`, true],
    ["with its first own writes", `${A}@${A}:1-9,${B}:1`, `${B}@${A}:1-9`, true],
    ["not with just as many", `${A}@${A}:1-9,${B}:1-4`, `${B}@${A}:1-9,${B}:1-4`, false],
    ["not when it lacks something", `${A}@${A}:1-8,${B}:1-5`, `${B}@${A}:1-9,${B}:1-4`, false],
    ["not by writes of its own", `${A}@${A}:1-12,${B}:1-4`, `${B}@${A}:1-9,${B}:1-4`, false],
    ["not by those of a third server", `${A}@${A}:1-9,${B}:1-4,${C}:1`, `${B}@${A}:1-9,${B}:1-4`, false],
    ["on MariaDB by the same rule", "1@0-1-9,0-2-12", "2@0-1-9,0-2-11", true],
    ["on MariaDB not with just as many", "1@0-1-9,0-2-11", "2@0-1-9,0-2-11", false],
    ["on MariaDB not by writes of its own", "1@0-1-12,0-2-11", "2@0-1-9,0-2-11", false],
    ["in a group within a view, with all of its writes", `view:179@7@${A}:1-4`, `view:179@7@${A}:1-4`, true],
    ["in a group not when it lacks something", `view:179@7@${A}:1-4`, `view:179@7@${A}:1-5`, false],
    ["in a group not in an older view", `view:179@6@${A}:1-5`, `view:179@7@${A}:1-4`, false],
    ["not in a group that was founded anew", `view:180@7@${A}:1-5`, `view:179@7@${A}:1-4`, false],
    ["not of another system", "1@0-1-100", `${A}@${A}:1`, false],
  ])("%s", (_, history, other, expected) => {
    expect(hasFollowed(history, other)).toBe(expected);
  });
});
