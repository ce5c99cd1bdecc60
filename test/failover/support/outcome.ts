import { inspect } from "node:util";

/**
 * How much later than promised a call may end on a machine that has other things to do as well. How late it really is stands
 * in the simulation (the timers' resolution) and in the benchmarks; here a call that does not end at all shall fail.
 */
export const LATE_MS = 2_500;

/** How a promise ended, and when. */
export interface Outcome<T> {
  readonly value: T | undefined;
  readonly error: unknown;
  readonly ms: number;
}

/** Follows a promise to its end. It never rejects, so that it may be awaited later. */
export async function settle<T>(promise: Promise<T>): Promise<Outcome<T>> {
  const start = performance.now();
  try {
    const value = await promise;
    return { value, error: undefined, ms: performance.now() - start };
  } catch (error) {
    return { value: undefined, error, ms: performance.now() - start };
  }
}

/** The error with which a promise rejects. Fails when it does not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const { error, value } = await settle(promise);
  if (error === undefined) throw new Error(`expected a rejection, got ${inspect(value, { depth: 0 })}`);
  return error;
}
