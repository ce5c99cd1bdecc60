import { expect, test } from "vitest";
import { Distance } from "../src/pool/multiplexer/distance.ts";
import { Paces } from "../src/pool/multiplexer/paces.ts";

test("a statement is fast after three fast runs, and not before", () => {
  const paces = new Paces();
  for (const isFast of [false, false, true]) {
    paces.note("READ", 1);
    expect(paces.isFast("READ")).toBe(isFast);
  }
  expect(paces.isFast("OTHER")).toBe(false);
});

test("one slow run among fast ones is the machine's, a slow statement never becomes fast", () => {
  const paces = new Paces();
  for (const ms of [1, 1, 1, 30]) paces.note("READ", ms);
  expect(paces.isFast("READ")).toBe(true);
  for (let run = 0; run < 100; run += 1) paces.note("SLOW", 6);
  expect(paces.isFast("SLOW")).toBe(false);
});

test("what was fast and has become slow is noticed", () => {
  const paces = new Paces();
  for (let run = 0; run < 10; run += 1) paces.note("READ", 1);
  for (let run = 0; run < 10; run += 1) paces.note("READ", 20);
  expect(paces.isFast("READ")).toBe(false);
});

test("what has held up others has to prove itself again", () => {
  const paces = new Paces();
  for (let run = 0; run < 10; run += 1) paces.note("READ", 1);
  paces.noteSlow("READ", 60);
  expect(paces.isFast("READ")).toBe(false);
  for (let run = 0; run < 30; run += 1) paces.note("READ", 1);
  expect(paces.isFast("READ")).toBe(true);
});

test("what holds up others again and again needs ever more fast runs in a row", () => {
  const paces = new Paces();
  const runsUntilFast = (): number => {
    let runs = 0;
    while (!paces.isFast("READ")) {
      paces.note("READ", 0.1);
      runs += 1;
    }
    return runs;
  };
  const first = runsUntilFast();
  const needed: number[] = [];
  for (let time = 0; time < 12; time += 1) {
    paces.noteSlow("READ", 60);
    needed.push(runsUntilFast());
  }
  expect(first).toBe(3);
  for (const [time, runs] of needed.slice(1).entries()) expect(runs).toBeGreaterThanOrEqual(needed[time] ?? 0);
  expect(needed.at(-1)).toBe(1024);
});

test("a slow run on trial begins the trial anew", () => {
  const paces = new Paces();
  for (let run = 0; run < 5; run += 1) {
    paces.note("READ", 0.1);
    paces.note("READ", 0.1);
    paces.note("READ", 200);
  }
  expect(paces.isFast("READ")).toBe(false);
});

test("no more texts are remembered than are of use", () => {
  const paces = new Paces();
  for (let run = 0; run < 3; run += 1) paces.note("FIRST", 1);
  for (let index = 0; index < 1000; index += 1) paces.note(`READ ${index}`, 1);
  expect(paces.isFast("FIRST")).toBe(false);
});

test.each([
  ["is not known", [], 0],
  ["is near", [0.4, 0.9, 0.3], 0],
  ["is far", [20.5, 21, 30, 20], 19],
])("a node that %s is so far away", (_, roundTrips, ms) => {
  const distance = new Distance();
  for (const each of roundTrips) distance.note(each);
  expect(distance.ms).toBeCloseTo(ms, 0);
});

test("a node that has moved away is believed to be far in the end", () => {
  const distance = new Distance();
  distance.note(0.5);
  for (let probe = 0; probe < 40; probe += 1) distance.note(21);
  expect(distance.ms).toBeGreaterThan(15);
});
