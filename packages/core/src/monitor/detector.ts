import type { Fault, Observation } from "../driver.ts";

/** What one attempt to probe a node came to. `connect` says that it failed before the login was through. */
export type ProbeOutcome =
  | {
      readonly type: "answered";
      readonly observation: Observation;
      readonly sentAt: number;
      readonly receivedAt: number;
    }
  | { readonly type: "failed"; readonly phase: "connect" | "query"; readonly fault: Fault }
  /** This process itself was not running when the answer was due: proves nothing. */
  | { readonly type: "stalled" };

/** Attempts in a row that got nowhere. */
export interface DetectorState {
  readonly misses: number;
}

export interface Judgement {
  readonly state: DetectorState;
  readonly verdict: "up" | "down" | "undecided";
  /** When to look again: `now` to settle a doubt, `usual`, or `patient` where asking often would do harm. */
  readonly next: "now" | "usual" | "patient";
}

export const freshDetector: DetectorState = { misses: 0 };

/**
 * Judges a node by its probe alone. A refused connection is positive evidence that the process is gone: down at once. A
 * connection that breaks may only be one backend's end: asked again at once, by a new connection. Silence, and whatever
 * else leads nowhere, is believed after `misses` in a row.
 */
export function judge(state: DetectorState, outcome: ProbeOutcome, misses: number): Judgement {
  switch (outcome.type) {
    case "answered":
      return { state: freshDetector, verdict: "up", next: "usual" };
    case "stalled":
      return { state, verdict: "undecided", next: "now" };
    case "failed":
      return judgeFault(state, outcome.fault, misses);
    default:
      return outcome satisfies never;
  }
}

function judgeFault(state: DetectorState, fault: Fault, misses: number): Judgement {
  switch (fault.kind) {
    case "refused":
    case "not-ready":
      return { state: { misses }, verdict: "down", next: "usual" };
    // the server is alive and says why it will not talk to us: its role is as it was, and asking often would not help
    case "overloaded":
    case "configuration":
    case "statement":
    case "stale":
    case "rolled-back":
    case "read-only":
      return { state, verdict: "undecided", next: "patient" };
    case "gone":
    case "silent":
    case "unreachable":
    case "outcome-unknown": {
      const count = state.misses + 1;
      const isDown = count >= misses;
      return { state: { misses: count }, verdict: isDown ? "down" : "undecided", next: isDown ? "usual" : "now" };
    }
    default:
      return fault.kind satisfies never;
  }
}
