import type { Environment, Timer } from "@mirrorpool/core";

/**
 * Who waits for an event. `server` events happen when they are due; a stalled client process sees its `timer` and `socket`
 * events late, timers first, as Node's event loop does.
 */
export type Side = "server" | "timer" | "socket";

interface Scheduled {
  at: number;
  readonly rank: number;
  readonly order: number;
  readonly side: Side;
  callback: (() => void) | undefined;
}

/** The only time in a simulation: it moves from one event to the next, and stands still while they run. */
export class HeldClock {
  #now = 0;
  #steps = 0;
  #order = 0;
  #stalledUntil = 0;
  readonly #heap: Scheduled[] = [];

  get now(): number {
    return this.#now;
  }

  /** How many events have run: tells apart what happened at the same moment. */
  get steps(): number {
    return this.#steps;
  }

  /** Calls back once. Returns the function that takes it back. */
  schedule(delayMs: number, side: Side, callback: () => void): () => void {
    const rank = side === "socket" ? 1 : 0;
    const event: Scheduled = { at: this.#now + Math.max(0, delayMs), rank, order: this.#order++, side, callback };
    this.#push(event);
    return () => {
      event.callback = undefined;
    };
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.schedule(delayMs, "timer", resolve));
  }

  /** The client process does not run for a while; the servers do. */
  stall(forMs: number): void {
    this.#stalledUntil = Math.max(this.#stalledUntil, this.#now + forMs);
  }

  /** Runs the next event; false when there is none. */
  step(): boolean {
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) {
      const { callback } = event;
      if (callback === undefined) continue;
      if (event.side !== "server" && event.at < this.#stalledUntil) {
        event.at = this.#stalledUntil;
        this.#push(event);
        continue;
      }
      this.#now = event.at;
      this.#steps += 1;
      event.callback = undefined;
      callback();
      return true;
    }
    return false;
  }

  #push(event: Scheduled): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as Scheduled;
      if (!isBefore(event, parent)) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = event;
  }

  #pop(): Scheduled | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let below = index * 2 + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isBefore(heap[below + 1] as Scheduled, heap[below] as Scheduled)) below += 1;
      const child = heap[below] as Scheduled;
      if (!isBefore(child, last)) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = last;
    return first;
  }
}

function isBefore(one: Scheduled, other: Scheduled): boolean {
  return one.at - other.at < 0 || (one.at === other.at && (one.rank - other.rank || one.order - other.order) < 0);
}

/** More looks at the clock than anything needs at one moment: promises that settle each other without end. */
const MAX_LOOKS = 20_000;

/** The pool's view of a held clock. Knows which of the pool's timers are still armed. */
export class HeldEnvironment implements Environment {
  readonly #clock: HeldClock;
  readonly #random: () => number;
  #armed = 0;
  #looks = 0;
  #lookedAt = 0;

  constructor(clock: HeldClock, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  get armedTimers(): number {
    return this.#armed;
  }

  newToken(): string {
    return `token-${Math.floor(this.#random() * 2 ** 48)}`;
  }

  now(): number {
    if (this.#lookedAt !== this.#clock.steps) {
      this.#lookedAt = this.#clock.steps;
      this.#looks = 0;
    }
    this.#looks += 1;
    if (this.#looks > MAX_LOOKS) throw new Error("the pool runs in circles without waiting for anything");
    return this.#clock.now;
  }

  random(): number {
    return this.#random();
  }

  schedule(delayMs: number, callback: () => void): Timer {
    let isArmed = true;
    this.#armed += 1;
    const disarm = (): void => {
      if (!isArmed) return;
      isArmed = false;
      this.#armed -= 1;
    };
    const cancel = this.#clock.schedule(delayMs, "timer", () => {
      disarm();
      callback();
    });
    return {
      cancel: () => {
        disarm();
        cancel();
      },
      setRef: () => {},
    };
  }
}
