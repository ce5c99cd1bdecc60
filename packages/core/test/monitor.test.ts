import { describe, expect, test } from "vitest";
import type { Fault } from "../src/driver.ts";
import type { ProbeOutcome } from "../src/monitor/detector.ts";
import { freshDetector, judge } from "../src/monitor/detector.ts";
import { probeDelay } from "../src/monitor/schedule.ts";
import { primary } from "./fixtures.ts";

const MISSES = 3;
const answered: ProbeOutcome = { type: "answered", observation: primary(), sentAt: 0, receivedAt: 1 };

const failed = (kind: Fault["kind"]): ProbeOutcome => ({
  type: "failed",
  phase: "query",
  fault: { kind, code: undefined },
});

describe("the detector", () => {
  test.each(["refused", "not-ready"] as const)("takes a node that is %s for down at once", (kind) => {
    expect(judge(freshDetector, failed(kind), MISSES)).toMatchObject({ verdict: "down", next: "usual" });
  });

  test.each(["silent", "gone", "unreachable", "outcome-unknown"] as const)(
    "believes that a node is down when it was %s as often as it takes, and asks again at once until then",
    (kind) => {
      let state = freshDetector;
      const judgements = Array.from({ length: MISSES }, () => {
        const judgement = judge(state, failed(kind), MISSES);
        ({ state } = judgement);
        return `${judgement.verdict}, ${judgement.next}`;
      });
      expect(judgements).toEqual(["undecided, now", "undecided, now", "down, usual"]);
    },
  );

  test.each(["overloaded", "configuration", "statement", "rolled-back", "read-only"] as const)(
    "learns nothing of a node's health from an answer that is %s, and does not press it",
    (kind) => {
      const state = { misses: 1 };
      expect(judge(state, failed(kind), MISSES)).toEqual({ state, verdict: "undecided", next: "patient" });
    },
  );

  test("forgets all misses with one answer", () => {
    expect(judge({ misses: 2 }, answered, MISSES)).toEqual({ state: freshDetector, verdict: "up", next: "usual" });
  });

  test("concludes nothing when this process itself was stalled", () => {
    const state = { misses: 2 };
    expect(judge(state, { type: "stalled" }, MISSES)).toEqual({ state, verdict: "undecided", next: "now" });
  });
});

describe("the next probe comes", () => {
  const options = { intervalMs: 250, fastIntervalMs: 50, patientIntervalMs: 1000 };
  test.each([
    ["at the usual interval while there is a primary", "usual", 0, 0.5, 250],
    ["very fast when it has just been lost", "usual", 1, 0.5, 10],
    ["the later, the longer there has been none", "usual", 200, 0.5, 25],
    ["fast while there is none", "usual", 400, 0.5, 50],
    ["fast for a minute", "usual", 59_999, 0.5, 50],
    ["at the usual interval again after a minute without one", "usual", 60_000, 0.5, 250],
    ["late where asking often would do harm, also without a primary", "patient", 1, 0.5, 1000],
    ["almost at once to settle a doubt", "now", 0, 0.5, 5],
    ["up to a tenth earlier, so that a fleet drifts apart", "usual", 0, 0, 225],
    ["up to a tenth later", "usual", 0, 1, 275],
  ] as const)("%s", (_, next, withoutPrimaryMs, random, delay) => {
    expect(probeDelay(next, withoutPrimaryMs, options, random)).toBeCloseTo(delay);
  });
});
