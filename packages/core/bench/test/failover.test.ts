import { expect, test } from "vitest";
import { type Evidence, judge, type Write } from "../src/failover/history.ts";

const FORMER = 1;
const NEW = 2;

const write = (token: string, startedAt: number, endedAt?: number, server?: number, error?: string): Write => ({
  token,
  startedAt,
  endedAt,
  server,
  error,
});

const evidence = (writes: Write[]): Evidence => ({
  writes,
  faultAt: 1000,
  promotedAt: 1100,
  endedAt: 5000,
  newPrimary: NEW,
  kept: new Set(["before", "after"]),
});

test("the first write is the first that the new primary has acknowledged", () => {
  const writes = [write("before", 900, 990, FORMER), write("late", 1000, 1200, NEW), write("after", 1050, 1130, NEW)];
  expect(judge(evidence(writes))).toMatchObject({ promotionMs: 100, firstWriteMs: 130, beyondMs: 30, errors: 0 });
});

test("who never writes on the new primary has no first write", () => {
  expect(judge(evidence([write("before", 900, 990, FORMER)]))).toMatchObject({
    firstWriteMs: undefined,
    beyondMs: undefined,
  });
});

test("a call without an answer at the end has lasted until then", () => {
  expect(judge(evidence([write("waits", 1000)]))).toMatchObject({ hung: 1, longestMs: 4000 });
});

test.each<[what: string, each: Write, superseded: number]>([
  ["acknowledged by the former primary after the promotion, and lost", write("x", 1100, 1200, FORMER), 1],
  ["acknowledged there before", write("x", 1000, 1090, FORMER), 0],
  ["acknowledged late, and kept all the same", write("before", 1000, 1200, FORMER), 0],
  ["an error", write("x", 1100, 1200, undefined, "no"), 0],
])("a write to the superseded primary is one that was %s: %j", (_, each, superseded) => {
  expect(judge(evidence([each])).superseded).toBe(superseded);
});
