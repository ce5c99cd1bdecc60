import { QueueFullError } from "../errors.ts";
import { type Waiter, Waiters } from "../waiters.ts";
import type { Lease } from "./lease.ts";

/**
 * Those who wait for a connection. Reads that are known to be fast go before the others, who hardly notice: behind slow statements
 * they would wait for many times what they take. Where they have connections that they share, what comes free is for the others:
 * an unending line of fast reads would leave them none.
 */
export class Line {
  readonly #fast: Waiters<Lease>;
  readonly #others: Waiters<Lease>;
  readonly #limit: number;
  readonly #name: string;

  constructor(name: string, limit: number) {
    this.#name = name;
    this.#limit = limit;
    this.#fast = new Waiters(name, limit);
    this.#others = new Waiters(name, limit);
  }

  get size(): number {
    return this.#fast.size + this.#others.size;
  }

  /** How many fast reads wait. */
  get fast(): number {
    return this.#fast.size;
  }

  /** @throws {QueueFullError} at the bound, which is for all together. */
  join(waiter: Waiter<Lease>, isFast: boolean): void {
    if (this.size >= this.#limit) throw new QueueFullError(this.#name, this.#limit);
    (isFast ? this.#fast : this.#others).join(waiter);
  }

  leave(waiter: Waiter<Lease>): void {
    this.#fast.leave(waiter);
    this.#others.leave(waiter);
  }

  /** Who gets a connection to himself. @param isShared fast reads have others */
  shift(isShared: boolean = false): Waiter<Lease> | undefined {
    return isShared ? (this.#others.shift() ?? this.#fast.shift()) : (this.#fast.shift() ?? this.#others.shift());
  }

  shiftFast(): Waiter<Lease> | undefined {
    return this.#fast.shift();
  }

  rejectAll(error: () => unknown): void {
    this.#fast.rejectAll(error);
    this.#others.rejectAll(error);
  }
}
