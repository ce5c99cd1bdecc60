import type { BagItem } from "./bag.ts";
import { Bag } from "./bag.ts";
import type { Environment, Timer } from "./clock.ts";

/** How late a deadline may be noticed. Coarse on purpose: one timer serves all calls. */
export const DEADLINE_RESOLUTION_MS = 10;

/** What waits until a deadline at most. */
export interface Expiring extends BagItem {
  expire(): void;
}

/**
 * One timer for all waiting calls. Deadlines are kept in buckets of {@link DEADLINE_RESOLUTION_MS}, so that setting and
 * clearing one costs no timer; a bucket fires when all its deadlines are over, never before.
 */
export class Deadlines {
  readonly #environment: Environment;
  readonly #buckets = new Map<number, Bag<Expiring>>();
  /** Of the bucket that was the last to become empty, which may be in use again. */
  #spareKey: number | undefined;
  #timer: Timer | undefined;
  #timerBucket = Number.POSITIVE_INFINITY;
  /** The timer is armed although nothing waits. */
  #isResting = false;
  #isClosed = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** All waits have been ended: a new one would end only by its own deadline. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get size(): number {
    let size = 0;
    for (const bucket of this.#buckets.values()) size += bucket.size;
    return size;
  }

  /** How many are kept. */
  get buckets(): number {
    return this.#buckets.size;
  }

  /**
   * Calls `expire` once, after the given time of the environment's clock has come.
   * @returns the bucket, for {@link clear}
   */
  add(at: number, waiting: Expiring): number {
    const key = Math.ceil(at / DEADLINE_RESOLUTION_MS);
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) {
      bucket = new Bag();
      this.#buckets.set(key, bucket);
    }
    bucket.add(waiting);
    if (key < this.#timerBucket) this.#arm(key);
    else if (this.#isResting) this.#timer?.setRef(true);
    this.#isResting = false;
    return key;
  }

  /** Takes it back. What has expired or was cleared already is left alone. */
  clear(key: number, waiting: Expiring): void {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined || !bucket.delete(waiting) || bucket.size > 0) return;
    this.#spare(key);
    // the armed timer is left to fire for nothing, which is cheaper than a timer per call; but it shall not hold the process
    if (this.#buckets.size > 1) return;
    this.#isResting = true;
    this.#timer?.setRef(false);
  }

  /**
   * Keeps an empty bucket, for the next call of the same 10 ms, in place of the one that was kept before: callers one after the
   * other would have each of their calls make a bucket and a table for it.
   */
  #spare(key: number): void {
    const spare = this.#spareKey;
    if (spare === key) return;
    this.#spareKey = key;
    if (spare !== undefined && this.#buckets.get(spare)?.size === 0) this.#buckets.delete(spare);
  }

  #arm(key: number): void {
    this.#timer?.cancel();
    this.#timerBucket = key;
    const delay = Math.max(0, key * DEADLINE_RESOLUTION_MS - this.#environment.now());
    this.#timer = this.#environment.schedule(delay, () => this.#fire(), true);
  }

  /** Whatever still waits has waited for long enough: no deadline would come for it any more. Leaves no timer behind. */
  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerBucket = Number.POSITIVE_INFINITY;
    this.#isResting = false;
    const buckets = [...this.#buckets.values()];
    this.#buckets.clear();
    for (const bucket of buckets) for (const waiting of bucket) waiting.expire();
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
      for (const waiting of bucket ?? []) waiting.expire();
    }
    let next = Number.POSITIVE_INFINITY;
    for (const [key, bucket] of this.#buckets) if (bucket.size > 0) next = Math.min(next, key);
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
  }
}
