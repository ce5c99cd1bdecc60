import { QueueFullError } from "./errors.ts";

export interface Waiter<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: unknown) => void;
}

/** First come, first served, bounded; leaving from the middle costs nothing but the place. */
export class Waiters<T, W extends Waiter<T> = Waiter<T>> {
  readonly #queue = new Set<W>();
  readonly #limit: number;
  readonly #name: string;

  constructor(name: string, limit: number) {
    this.#name = name;
    this.#limit = limit;
  }

  get size(): number {
    return this.#queue.size;
  }

  /** @throws {QueueFullError} at the bound. */
  join(waiter: W): void {
    if (this.#queue.size >= this.#limit) throw new QueueFullError(this.#name, this.#limit);
    this.#queue.add(waiter);
  }

  leave(waiter: W): void {
    this.#queue.delete(waiter);
  }

  shift(): W | undefined {
    for (const waiter of this.#queue) {
      this.#queue.delete(waiter);
      return waiter;
    }
    return undefined;
  }

  some(test: (waiter: W) => boolean): boolean {
    for (const waiter of this.#queue) if (test(waiter)) return true;
    return false;
  }

  /** Removes and returns all that pass the test, in the order in which they came. */
  take(test: (waiter: W) => boolean): W[] {
    const taken = [...this.#queue].filter(test);
    for (const waiter of taken) this.#queue.delete(waiter);
    return taken;
  }

  rejectAll(error: () => unknown): void {
    for (let waiter = this.shift(); waiter !== undefined; waiter = this.shift()) waiter.reject(error());
  }
}
