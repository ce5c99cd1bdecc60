import { branch } from "@mirrorpool/sync/for-other-jobs";

/**
 * Works a list off with so many at a time, in its order. The first error stops the others through the signal that each was given,
 * and is thrown once all have ended.
 */
export async function inParallel<T>(
  items: Iterable<T>,
  jobs: number,
  signal: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  let failure: { readonly error: unknown } | undefined;
  const run = async (): Promise<void> => {
    const own = branch(either);
    try {
      for (;;) {
        own.signal.throwIfAborted();
        const next = iterator.next();
        if (next.done === true) return;
        await work(next.value, own.signal);
      }
    } finally {
      own.end();
    }
  };
  const running = Array.from({ length: jobs }, () =>
    run().catch((error: unknown) => {
      failure ??= { error };
      stop.abort(error);
    }),
  );
  await Promise.all(running);
  if (failure !== undefined) throw failure.error;
}

/** So many have a turn at a time, the others in the order in which they came. Who has one gives it back, however he ends. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** Does two things at the same time. The error of the one ends the other, and is thrown once both have ended. */
export async function sideBySide<One, Other>(
  one: (signal: AbortSignal) => Promise<One>,
  other: (signal: AbortSignal) => Promise<Other>,
  signal: AbortSignal | undefined,
): Promise<[One, Other]> {
  const results: { one?: One; other?: Other } = {};
  await inParallel(["one", "other"] as const, 2, signal, async (which, stop) => {
    if (which === "one") results.one = await one(stop);
    else results.other = await other(stop);
  });
  return [results.one, results.other] as [One, Other]; // both are there, or it would have thrown
}
