import { describe, expect, test } from "vitest";
import { freshAfter } from "../src/routing/freshness.ts";
import { formatToken, freshAfterToken, parseToken } from "../src/routing/freshness-token.ts";
import type { Demand, RoutingRules } from "../src/routing/route.ts";
import { mayAnswer, route } from "../src/routing/route.ts";
import type { Topology } from "../src/topology/topology.ts";
import { after, healthy, lost, mirror, observed, positions, primary } from "./fixtures.ts";

const rules: RoutingRules = { readFrom: "mirrors", maxLagBytes: 100, maxLagMs: 1000, splitBrainReads: false };
const write: Demand = { intent: "write", freshAfter: Number.POSITIVE_INFINITY };
const read: Demand = { intent: "read", freshAfter: Number.NEGATIVE_INFINITY };
const strong: Demand = { intent: "read", freshAfter: Number.POSITIVE_INFINITY };

const split = after(healthy(), observed("b", primary(), 5));
const leaderless = after(healthy(), lost("a"));
const readOnly = after(healthy(), observed("a", primary({ isWritable: false }), 5));
const held = after(healthy(), { type: "held", hold: "all" });
const heldWrites = after(healthy(), { type: "held", hold: "writes" });
const foreign = after(healthy(), observed("b", mirror({ systemId: "theirs" }), 5));
/** `b` has the sample of time 100, `c` only that of time 0. */
const lagging = after(
  healthy(),
  observed("a", primary({ position: "10" }), 100),
  observed("b", mirror({ position: "10" }), 150),
);
const farBehind = after(
  healthy(),
  observed("a", primary({ position: "1000" }), 100),
  observed("b", mirror(), 150),
  observed("c", mirror(), 150),
);
const longBehind = after(
  healthy(),
  observed("a", primary({ position: "1" }), 5000),
  observed("b", mirror(), 5100),
  observed("c", mirror(), 5100),
);

describe("a route", () => {
  const cases: readonly (readonly [string, Topology, Demand, Partial<RoutingRules>, readonly string[] | string])[] = [
    ["for a write leads to the primary", healthy(), write, {}, ["a"]],
    ["for a write waits while there is no primary", leaderless, write, {}, "no-primary"],
    ["for a write waits while the primary is read-only", readOnly, write, {}, "no-primary"],
    ["for a write waits in a split brain", split, write, {}, "split-brain"],
    ["for a read leads to the mirrors", healthy(), read, {}, ["b", "c"]],
    [
      "for a read leads to the primary where mirrors shall not be used",
      healthy(),
      read,
      { readFrom: "primary" },
      ["a"],
    ],
    [
      "for a read leads to the mirrors without a primary all the same",
      leaderless,
      read,
      { readFrom: "primary" },
      ["b", "c"],
    ],
    ["for a read still leads to a primary that takes no writes", readOnly, strong, {}, ["a"]],
    ["for a strong read leads to the primary", healthy(), strong, {}, ["a"]],
    ["for a strong read waits without a primary", leaderless, strong, {}, "no-node"],
    ["for a read after a write leaves stale mirrors out", lagging, { intent: "read", freshAfter: 50 }, {}, ["b"]],
    ["for a read after a newer write leads to the primary", lagging, { intent: "read", freshAfter: 101 }, {}, ["a"]],
    ["leaves mirrors out that are too many bytes behind", farBehind, read, {}, ["a"]],
    ["leaves mirrors out that are behind for too long", longBehind, read, {}, ["a"]],
    ["leaves mirrors of another cluster out", foreign, read, {}, ["c"]],
    ["leaves out what the call has failed on", healthy(), { ...read, excluded: new Set(["b"]) }, {}, ["c"]],
    [
      "leads to the primary when the call has failed on all mirrors",
      healthy(),
      { ...read, excluded: new Set(["b", "c"]) },
      {},
      ["a"],
    ],
    [
      "waits when the call has failed everywhere",
      healthy(),
      { ...read, excluded: new Set(["a", "b", "c"]) },
      {},
      "no-node",
    ],
    ["for reads waits in a split brain", split, read, {}, "split-brain"],
    [
      "for reads leads to mirrors in a split brain where that is allowed",
      split,
      read,
      { splitBrainReads: true },
      ["c"],
    ],
    ["waits while all work is held", held, read, {}, "held"],
    ["for writes waits while writes are held", heldWrites, write, {}, "held"],
    ["for reads goes on while writes are held", heldWrites, strong, {}, ["a"]],
  ];

  test.each(cases)("%s", (_, topology, demand, changes, expected) => {
    const found = route(topology, demand, { ...rules, ...changes });
    expect(found).toEqual(
      typeof expected === "string" ? { type: "wait", reason: expected } : { type: "nodes", nodes: expected },
    );
  });

  test.each(cases.filter(([, , , , expected]) => typeof expected !== "string"))(
    "%s, and what it leads to may answer",
    (_, topology, demand, changes, expected) => {
      const may = (id: string): boolean => mayAnswer(topology, demand, id, { ...rules, ...changes });
      expect([...expected].filter(may)).toEqual(expected);
    },
  );
});

describe("right before sending", () => {
  test("the primary may answer a read although mirrors would be better: else a call that has failed on them runs in circles", () => {
    expect(mayAnswer(healthy(), read, "a", rules)).toBe(true);
  });

  test.each([
    ["a write to a mirror", healthy(), write, "b"],
    ["a write to a primary that was lost", leaderless, write, "a"],
    ["a write to a read-only primary", readOnly, write, "a"],
    ["a read to a mirror that has grown stale", lagging, { intent: "read", freshAfter: 101 } as const, "b"],
    ["a read to a fenced node", foreign, read, "b"],
    ["anything while all work is held", held, read, "b"],
    ["a read in a split brain", split, read, "c"],
    ["a read to a node that nobody knows", healthy(), read, "z"],
  ])("%s is refused", (_, topology, demand, id) => {
    expect(mayAnswer(topology, demand, id, rules)).toBe(false);
  });
});

describe("freshness", () => {
  test.each([
    ["process", 7, 42],
    ["process", undefined, 42],
    ["context", 7, 7],
    ["context", Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
    ["context", undefined, 42],
    ["eventual", 7, Number.NEGATIVE_INFINITY],
    ["strong", 7, Number.POSITIVE_INFINITY],
  ] as const)("of %s reads, when the context last wrote at %s and the process at 42, is asked from %d on", (...row) => {
    const [consistency, context, expected] = row;
    expect(freshAfter(consistency, { process: 42, context })).toBe(expected);
  });

  const token = { systemId: "system-1", timeline: 1, position: "0/20" };

  test("a token comes through as text", () => {
    expect(parseToken(formatToken(token))).toEqual(token);
    expect(parseToken(formatToken({ ...token, timeline: undefined }))).toEqual({ ...token, timeline: undefined });
  });

  test.each(["", "x", "bnVsbA", "WzFd", "WyJhIiwiYiIsImMiXQ", "WyJhIiwxLjUsImMiXQ"])("%j is no token", (text) => {
    expect(parseToken(text)).toBeUndefined();
  });

  const samples = [
    { sentAt: 100, receivedAt: 100 + 1, position: "10" },
    { sentAt: 200, receivedAt: 200 + 1, position: "20" },
    { sentAt: 300, receivedAt: 300 + 1, position: "30" },
  ];
  const topology = { ...healthy(), samples };
  const { reign } = topology;
  const at = (position: string) => ({ systemId: reign?.systemId ?? "", timeline: reign?.timeline, position });

  test.each([
    ["the first sample that covers it", "15", 200],
    ["a sample right at it", "20", 200],
    ["the oldest sample, where it is older than all", "5", 100],
    ["the primary, where no sample covers it yet", "31", Number.POSITIVE_INFINITY],
  ])("a token asks for %s", (_, position, expected) => {
    expect(freshAfterToken(at(position), topology, positions)).toBe(expected);
  });

  test("a token of an older timeline asks for the primary: what it covers may be lost", () => {
    const old = { ...at("15"), timeline: (reign?.timeline ?? 0) - 1 };
    expect(freshAfterToken(old, topology, positions)).toBe(Number.POSITIVE_INFINITY);
  });
});

test("a read that asks for the primary is not answered by a mirror while nobody knows yet whether there is a primary", () => {
  const unsettled: Topology = { ...after(healthy(), lost("a")), isSettled: false };
  const demand: Demand = { intent: "read", freshAfter: Number.NEGATIVE_INFINITY };
  const fromPrimary: RoutingRules = { ...rules, readFrom: "primary" };
  expect(route(unsettled, demand, fromPrimary)).toEqual({ type: "wait", reason: "no-node" });
  expect(route({ ...unsettled, isSettled: true }, demand, fromPrimary)).toMatchObject({ type: "nodes" });
});
