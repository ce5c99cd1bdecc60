import { jittered } from "../jittered.ts";
import type { Judgement } from "./detector.ts";

export interface ScheduleOptions {
  readonly intervalMs: number;
  readonly fastIntervalMs: number;
  /** Between attempts at a server that refuses us for a reason that time alone does not mend. */
  readonly patientIntervalMs: number;
}

/** Spread of all probe intervals, so that the processes of a fleet do not probe in step. */
const JITTER = 0.1;

/** Between two probes of one node, however urgent. */
const MIN_SPACING_MS = 5;

/**
 * Of the time without a primary, so much may be added by not looking: most mirrors are promoted soon or late, and to look often
 * costs something only where it is for long.
 */
const SHARE = 1 / 8;

/** While the primary has just been lost. */
const SHORTEST_MS = 10;

/** Without a primary for longer than this, fast probing gains nothing any more and only costs. */
const FAST_FOR_MS = 60_000;

/**
 * How long to wait before the next probe of a node. When the primary was lost every node is probed fast, for a minute: the sooner
 * after the loss, the faster.
 */
export function probeDelay(
  next: Judgement["next"],
  withoutPrimaryMs: number,
  options: ScheduleOptions,
  random: number,
): number {
  const isFast = withoutPrimaryMs > 0 && withoutPrimaryMs < FAST_FOR_MS;
  switch (next) {
    case "now":
      return MIN_SPACING_MS;
    case "patient":
      return jittered(options.patientIntervalMs, JITTER, random);
    case "usual":
      return jittered(isFast ? fastDelay(withoutPrimaryMs, options) : options.intervalMs, JITTER, random);
    default:
      return next satisfies never;
  }
}

function fastDelay(withoutPrimaryMs: number, { fastIntervalMs }: ScheduleOptions): number {
  return Math.min(fastIntervalMs, Math.max(SHORTEST_MS, SHARE * withoutPrimaryMs));
}
