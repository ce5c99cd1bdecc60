import { setTimeout as sleep } from "node:timers/promises";
import { LabError } from "./errors.ts";

/** The deadline of every wait in the lab unless the caller gives another, in ms. */
const DEFAULT_TIMEOUT_MS = 30_000;

/** The bounds of one wait. */
export interface WaitOptions {
  /** How long to wait, in ms. Default 30000. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait early with a {@link LabError} of code `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** The pause between two probes, in ms. Default 5. */
  readonly everyMs?: number | undefined;
  /** Called at the deadline, for details such as the end of a log. */
  readonly explain?: (() => string) | undefined;
}

/**
 * Asks `probe` again and again until it answers something other than `undefined` or `false`, and returns that.
 *
 * A probe that throws ends the wait at once with its error.
 * @param what completes the sentence "timed out after 30000 ms waiting for ..."
 * @throws LabError `timeout` at the deadline, `aborted` by the signal
 */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  options: WaitOptions = {},
): Promise<T> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, everyMs = 5, signal, explain } = options;
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    throwIfAborted(what, signal);
    const answer = await probe();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() >= deadline) {
      throw new LabError("timeout", `timed out after ${timeoutMs} ms waiting for ${what}${explain ? explain() : ""}`);
    }
    await sleep(everyMs);
  }
}

/**
 * Runs `work` with a signal that fires at the deadline, or when the caller's does, with a LabError as its reason.
 * @param what completes the sentence "timed out after 30000 ms waiting for ..."
 */
export function bounded<T>(
  what: () => string,
  { timeoutMs = DEFAULT_TIMEOUT_MS, signal }: WaitOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const bound = new AbortController();
  const onAbort = () => {
    bound.abort(new LabError("aborted", `aborted while waiting for ${what()}`, { cause: signal?.reason }));
  };
  const timer = setTimeout(() => {
    bound.abort(new LabError("timeout", `timed out after ${timeoutMs} ms waiting for ${what()}`));
  }, timeoutMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  return work(bound.signal).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  });
}

/** @throws LabError `aborted` when `signal` has fired */
export function throwIfAborted(what: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new LabError("aborted", `aborted while waiting for ${what}`, { cause: signal.reason });
}

/** Blocks the whole process for `ms`: for cleaning up in an `exit` handler, where nothing asynchronous runs any more. */
export function sleepSync(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
