import { expect, test } from "vitest";
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
  for (let run = 0; run < 3; run += 1) paces.note("READ", 1);
  expect(paces.isFast("READ")).toBe(true);
});

test("no more texts are remembered than are of use", () => {
  const paces = new Paces();
  for (let run = 0; run < 3; run += 1) paces.note("FIRST", 1);
  for (let index = 0; index < 1000; index += 1) paces.note(`READ ${index}`, 1);
  expect(paces.isFast("FIRST")).toBe(false);
});
