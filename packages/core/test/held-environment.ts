import type { Environment, Timer } from "../src/clock.ts";

interface Armed {
  readonly at: number;
  readonly callback: () => void;
  isReferenced: boolean;
}

/** Time that moves only when a test says so. */
export class HeldEnvironment implements Environment {
  readonly #timers = new Set<Armed>();
  #now = 0;
  #tokens = 0;
  /** What `random()` gives: the middle, where jitter leaves everything as it is. */
  chance = 0.5;

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.chance;
  }

  newToken(): string {
    this.#tokens += 1;
    return `token-${this.#tokens}`;
  }

  schedule(delayMs: number, callback: () => void, isReferenced: boolean): Timer {
    const timer: Armed = { at: this.#now + delayMs, callback, isReferenced };
    this.#timers.add(timer);
    return {
      cancel: () => void this.#timers.delete(timer),
      setRef: (isReferenced) => {
        timer.isReferenced = isReferenced;
      },
    };
  }

  get armed(): number {
    return this.#timers.size;
  }

  /** Timers that would keep the process alive. */
  get holding(): number {
    return [...this.#timers].filter(({ isReferenced }) => isReferenced).length;
  }

  /** Lets time pass, and everything happen that is due meanwhile. */
  async advance(byMs: number): Promise<void> {
    const end = this.#now + byMs;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
      await settle();
    }
    this.#now = end;
  }

  /** Lets time pass without anybody noticing: the process was stalled. */
  skip(byMs: number): void {
    this.#now += byMs;
  }

  #next(end: number): Armed | undefined {
    const due = [...this.#timers].filter(({ at }) => at <= end);
    return due.sort((a, b) => a.at - b.at)[0];
  }
}

/** Runs all promise reactions that can run now. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
