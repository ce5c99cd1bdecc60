import type { Result } from "../src/driver.ts";

/** What a server answers that is silent. */
export const never = (): Promise<Partial<Result>> => new Promise(() => {});

/** The error with which a promise rejects, as a value: nobody need wait for it yet. */
export const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no failure",
    (error: unknown) => error,
  );
