import { QueueFullError } from "./errors.ts";

export interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
  /** Where it stands. The line's own. */
  place?: number;
}

/** Places that stay empty before the others close ranks. */
const SLACK = 64;

/**
 * First come, first served, bounded; leaving from the middle costs nothing but the place. An array and not a Set, for the
 * same reason as in a {@link Bag}.
 */
export class Waiters<T, W extends Waiter<T> = Waiter<T>> {
  #line: (W | undefined)[] = [];
  /** All places before this one are empty. */
  #head = 0;
  #size = 0;
  readonly #limit: number;
  readonly #name: string;

  constructor(name: string, limit: number) {
    this.#name = name;
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** @throws {QueueFullError} at the bound. */
  join(waiter: W): void {
    if (this.#size >= this.#limit) throw new QueueFullError(this.#name, this.#limit);
    waiter.place = this.#line.length;
    this.#line.push(waiter);
    this.#size += 1;
  }

  /** Does nothing when it stands there no more. */
  leave(waiter: W): void {
    const { place } = waiter;
    if (place === undefined || this.#line[place] !== waiter) return;
    this.#line[place] = undefined;
    this.#size -= 1;
    this.#closeRanks();
  }

  shift(): W | undefined {
    if (this.#size === 0) return undefined;
    while (this.#line[this.#head] === undefined) this.#head += 1;
    const first = this.#line[this.#head] as W; // the loop ends at one, since there is one
    this.leave(first);
    return first;
  }

  some(test: (waiter: W) => boolean): boolean {
    return this.#line.some((waiter) => waiter !== undefined && test(waiter));
  }

  /** Removes and returns all that pass the test, in the order in which they came. */
  take(test: (waiter: W) => boolean): W[] {
    const taken = this.#line.filter((waiter) => waiter !== undefined).filter(test);
    for (const waiter of taken) this.leave(waiter);
    return taken;
  }

  rejectAll(error: () => unknown): void {
    for (let waiter = this.shift(); waiter !== undefined; waiter = this.shift()) waiter.reject(error());
  }

  /** Each that leaves pays for moving at most one other. */
  #closeRanks(): void {
    if (this.#line.length < 2 * this.#size + SLACK) return;
    this.#line = this.#line.filter((waiter) => waiter !== undefined);
    this.#line.forEach((waiter, place) => {
      if (waiter !== undefined) waiter.place = place;
    });
    this.#head = 0;
  }
}
