import { describe, expect, test } from "vitest";
import { hasCommitted } from "../src/session/has-committed.ts";
import { endOfRecovery, judgeWrites, trustSynchronous } from "../src/session/losses.ts";
import { type AckedWrites, WriteLog } from "../src/session/write-log.ts";
import type { Sample } from "../src/topology/topology.ts";
import { after, facts, healthy, lost, mirror, observed, positions, primary } from "./fixtures.ts";

const write = (sentAt: number, ackedAt: number, count: number = 1): AckedWrites => ({ sentAt, ackedAt, count });
const sample = (sentAt: number, position: number): Sample => ({
  sentAt,
  receivedAt: sentAt + 2,
  position: String(position),
});

describe("by positions a write is", () => {
  // the primary stood at 10, 20 and 30; each sample took from 100 to 102, and so on
  const samples = [sample(100, 10), sample(200, 20), sample(300, 30)];

  test.each([
    ["kept: acknowledged before a sample was sent that the new primary has", write(90, 100), "15", "kept"],
    ["kept: with the newest sample", write(290, 299), "30", "kept"],
    ["unknown: acknowledged while that sample was under way", write(90, 101), "15", "unknown"],
    ["unknown: between the last sample that it has and the first that it has not", write(110, 120), "15", "unknown"],
    ["unknown: sent before a sample beyond the end was received", write(201, 250), "15", "unknown"],
    ["lost: sent after a sample beyond the end was received", write(202, 203), "15", "lost"],
    [
      "lost: sent after a sample right at the end, with which the WAL began that nobody has",
      write(202, 203),
      "20",
      "lost",
    ],
    ["kept: acknowledged before a sample right at the end", write(110, 200), "20", "kept"],
    ["unknown: after the newest sample, where that was not at the end", write(310, 320), "35", "unknown"],
    ["lost: after the newest sample, where that was at the end", write(310, 320), "30", "lost"],
    ["unknown: before the oldest sample, where that is beyond the end already", write(10, 20), "5", "unknown"],
    ["lost: after the oldest sample, where that is beyond the end already", write(110, 120), "5", "lost"],
    ["unknown: where the end is not known", write(10, 20), undefined, "unknown"],
  ] as const)("%s", (_, one, end, expected) => {
    const none = { kept: 0, lost: 0, unknown: 0 };
    expect(judgeWrites([one], samples, end, positions)).toEqual({ ...none, [expected]: 1 });
  });

  test("unknown, where the primary was never sampled", () => {
    expect(judgeWrites([write(1, 2, 7)], [], "15", positions)).toEqual({ kept: 0, lost: 0, unknown: 7 });
  });

  test("kept, where the primary stood still after it: it wrote nothing that could be lost", () => {
    const still = [sample(100, 10), sample(200, 10)];
    expect(judgeWrites([write(110, 120)], still, "10", positions)).toEqual({ kept: 1, lost: 0, unknown: 0 });
  });
});

describe("the end of recovery", () => {
  const promoted = primary({ timeline: 2, endOfRecovery: "7" });

  test("is what the new primary says, which was seen as a mirror before", () => {
    const before = after(healthy(), lost("a"));
    expect(endOfRecovery(before, after(before, observed("b", promoted, 5)))).toBe("7");
  });

  test.each([
    [
      "a server that has restarted since: it may name the end of a later recovery",
      healthy(),
      { ...promoted, instance: "restarted" },
    ],
    ["a server that was not seen before", after(healthy(), observed("b", mirror({ instance: "former" }), 1)), promoted],
    ["a promotion after another one that nobody saw", healthy(), { ...promoted, timeline: 3 }],
    ["a mirror of an older timeline", after(healthy(), observed("b", mirror({ timeline: 0 }), 1)), promoted],
  ])("is not known of %s", (_, before, observation) => {
    expect(endOfRecovery(before, after(before, observed("b", observation, 5)))).toBeUndefined();
  });
});

test("a synchronous primary is trusted to have lost nothing, until a certain loss disproves it", () => {
  const some = { kept: 1, lost: 0, unknown: 2 };
  expect(trustSynchronous(some, true)).toEqual({ kept: 3, lost: 0, unknown: 0 });
  expect(trustSynchronous(some, false)).toEqual(some);
  expect(trustSynchronous({ ...some, lost: 1 }, true)).toEqual({ ...some, lost: 1 });
});

describe("the log of acknowledged writes", () => {
  const total = (writes: readonly AckedWrites[]): number => writes.reduce((sum, { count }) => sum + count, 0);

  test("is bounded, and leaves no write out", () => {
    const log = new WriteLog(() => Number.NEGATIVE_INFINITY);
    for (let at = 0; at < 100_000; at += 1) log.add(at, at + 1);
    const writes = log.take();
    expect(writes.length).toBeLessThanOrEqual(4096);
    expect(total(writes)).toBe(100_000);
    expect(writes[0]?.sentAt).toBe(0);
    expect(writes.at(-1)).toMatchObject({ ackedAt: 100_000 });
    expect(log.take()).toEqual([]);
  });

  test("forgets what every mirror has, when it is full", () => {
    const log = new WriteLog(() => 99_000);
    for (let at = 0; at < 100_000; at += 1) log.add(at, at + 1);
    const writes = log.take();
    expect(total(writes)).toBeLessThan(6000);
    expect(writes.every(({ count }) => count === 1)).toBe(true);
  });
});

describe("an answer acknowledges a commit", () => {
  const answered = (command: string, rowCount: number | null = 1) => ({ rows: [], rowCount, command });
  const wrote = { hasWritten: true } as never;
  const read = { hasWritten: false } as never;

  test.each([
    ["a single write", facts(), answered("INSERT"), undefined, true],
    ["a function that may write", facts({ command: "SELECT" }), answered("SELECT"), undefined, true],
    ["DDL", facts({ command: "CREATE TABLE" }), answered("CREATE", null), undefined, true],
    [
      "several statements that begin with SET",
      facts({ session: "pinned", multiple: true }),
      answered("INSERT"),
      undefined,
      true,
    ],
    ["COMMIT of a transaction that wrote", facts({ transaction: "commit" }), answered("COMMIT", null), wrote, true],
    ["COMMIT AND CHAIN", facts({ transaction: "chain" }), answered("COMMIT", null), wrote, true],
    ["COMMIT of a transaction that only read", facts({ transaction: "commit" }), answered("COMMIT", null), read, false],
    ["COMMIT that was a rollback", facts({ transaction: "commit" }), answered("ROLLBACK", null), wrote, false],
    ["a write inside a transaction", facts(), answered("INSERT"), wrote, false],
    ["ROLLBACK", facts({ transaction: "rollback" }), answered("ROLLBACK", null), wrote, false],
    ["SET", facts({ session: "setting" }), answered("SET", null), undefined, false],
    ["LISTEN", facts({ session: "pinned" }), answered("LISTEN", null), undefined, false],
  ] as const)("%s", (_, given, result, transaction, expected) => {
    expect(hasCommitted(given, "write", { ...result, rows: [] }, transaction)).toBe(expected);
  });

  test("never of a read", () => {
    expect(
      hasCommitted(facts({ intent: "read" }), "read", { rows: [], rowCount: 1, command: "SELECT" }, undefined),
    ).toBe(false);
  });
});
