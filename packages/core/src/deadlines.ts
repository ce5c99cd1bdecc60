import type { Environment, Timer } from "./clock.ts";

/** How late a deadline may be noticed. Coarse on purpose: one timer serves all calls. */
export const DEADLINE_RESOLUTION_MS = 10;

export interface Deadline {
  clear(): void;
}

/**
 * One timer for all waiting calls. Deadlines are kept in buckets of {@link DEADLINE_RESOLUTION_MS}, so that setting and
 * clearing one costs no timer; a bucket fires when all its deadlines are over, never before.
 */
export class Deadlines {
  readonly #environment: Environment;
  readonly #buckets = new Map<number, Set<() => void>>();
  #timer: Timer | undefined;
  #timerBucket = Number.POSITIVE_INFINITY;
  /** The timer is armed although nothing waits. */
  #isResting = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  get size(): number {
    let size = 0;
    for (const bucket of this.#buckets.values()) size += bucket.size;
    return size;
  }

  /** Calls back once, after the given time of the environment's clock has come. */
  add(at: number, onDeadline: () => void): Deadline {
    const key = Math.ceil(at / DEADLINE_RESOLUTION_MS);
    const callback = (): void => onDeadline();
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = new Set();
      this.#buckets.set(key, bucket);
    }
    bucket.add(callback);
    if (key < this.#timerBucket) this.#arm(key);
    else if (this.#isResting) this.#timer?.setRef(true);
    this.#isResting = false;
    return { clear: () => this.#remove(key, callback) };
  }

  #remove(key: number, callback: () => void): void {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined || !bucket.delete(callback) || bucket.size > 0) return;
    this.#buckets.delete(key);
    // the armed timer is left to fire for nothing, which is cheaper than a timer per call; but it shall not hold the process
    if (this.#buckets.size > 0) return;
    this.#isResting = true;
    this.#timer?.setRef(false);
  }

  #arm(key: number): void {
    this.#timer?.cancel();
    this.#timerBucket = key;
    const delay = Math.max(0, key * DEADLINE_RESOLUTION_MS - this.#environment.now());
    this.#timer = this.#environment.schedule(delay, () => this.#fire(), true);
  }

  /** Nothing waits for certain any more: leaves no timer behind. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerBucket = Number.POSITIVE_INFINITY;
    this.#isResting = false;
    this.#buckets.clear();
  }

  #fire(): void {
    this.#timer = undefined;
    this.#timerBucket = Number.POSITIVE_INFINITY;
    this.#isResting = false;
    const now = this.#environment.now();
    const due = [...this.#buckets.keys()].filter((key) => key * DEADLINE_RESOLUTION_MS <= now).sort((a, b) => a - b);
    for (const key of due) {
      const bucket = this.#buckets.get(key);
      this.#buckets.delete(key);
      for (const callback of bucket ?? []) callback();
    }
    let next = Number.POSITIVE_INFINITY;
    for (const key of this.#buckets.keys()) next = Math.min(next, key);
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
  }
}
