import { expect, test } from "vitest";
import { type Balance, balance, type Candidate } from "../src/routing/balance.ts";

type Nodes = Readonly<Record<string, Partial<Candidate>>>;

/** Draws with these numbers, one after the other. */
function chosen(nodes: Nodes, by: Balance, ...numbers: readonly number[]): string {
  const candidateOf = (id: string): Candidate => ({ busy: 0, latencyMs: 1, weight: 1, ...nodes[id] });
  const ids = Object.keys(nodes);
  const isEven = new Set(ids.map((id) => candidateOf(id).weight)).size === 1;
  const left = [...numbers];
  return balance(ids, candidateOf, by, isEven, () => left.shift() ?? 0);
}

const cases: readonly (readonly [string, Balance, Nodes, string])[] = [
  ["the less busy is taken", "least-busy", { a: { busy: 3 }, b: { busy: 1 } }, "b"],
  ["work counts per weight", "least-busy", { a: { busy: 1 }, b: { busy: 4, weight: 5 } }, "b"],
  ["weight 0 is left out, however busy the others are", "least-busy", { a: { weight: 0 }, b: { busy: 1000 } }, "b"],
  ["where all have weight 0 they are equal", "least-busy", { a: { weight: 0, busy: 1 }, b: { weight: 0 } }, "b"],
  ["of equally busy ones the nearer is taken", "least-busy", { a: { latencyMs: 9 }, b: {} }, "b"],
  ["by latency the nearer is taken, though it is busier", "latency", { a: { latencyMs: 9 }, b: { busy: 4 } }, "b"],
  ["by latency a nearer one that has too much to do is not", "latency", { a: { latencyMs: 9 }, b: { busy: 50 } }, "a"],
  [
    "by latency, round trips that are almost equal count as equal",
    "latency",
    { a: { latencyMs: 1.01, busy: 2 }, b: { latencyMs: 1.4 } },
    "b",
  ],
];

test.each(cases)("of two nodes: %s", (_, by, nodes, expected) => {
  for (const random of [0, 0.5, 0.99]) expect(chosen(nodes, by, random, random)).toBe(expected);
});

test("of equals the one that was drawn first is taken, so that no node is always first", () => {
  expect(chosen({ a: {}, b: {} }, "least-busy", 0, 0)).toBe("a");
  expect(chosen({ a: {}, b: {} }, "least-busy", 0.99, 0)).toBe("b");
});

test("of many nodes it looks at two, never twice at the same", () => {
  const nodes: Nodes = { a: { busy: 1 }, b: {}, c: { busy: 2 }, d: { busy: 3 } };
  for (const first of [0, 0.25, 0.5, 0.75]) {
    const found = [0, 0.34, 0.67].map((second) => chosen(nodes, "least-busy", first, second));
    // the one that was drawn first with each of the other three: d is the better one of none
    expect(found).not.toContain("d");
    expect(found.filter((id) => id === "b")).toHaveLength(first === 0.25 ? 3 : 1);
  }
});

test("nodes are drawn by their weights, and never one of weight 0 while another is left", () => {
  const nodes: Nodes = { none: { weight: 0 }, heavy: { weight: 8, busy: 7 }, light: {}, zero: { weight: 0 } };
  const numbers = Array.from({ length: 90 }, (_, index) => index / 90);
  const found = numbers.map((random) => chosen(nodes, "least-busy", random, 0));
  expect(found.filter((id) => id === "heavy")).toHaveLength(80);
  expect(found.filter((id) => id === "light")).toHaveLength(10);
});
