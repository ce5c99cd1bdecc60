/** What of an `AbortSignal` a call listens to. */
export interface CallSignal {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: AbortListener, options: { readonly once: true }): void;
  removeEventListener(type: "abort", listener: AbortListener): void;
}

interface AbortListener {
  handleEvent(): void;
}

/** Whoever listens at the moment. */
class Listeners {
  #all: AbortListener[] = [];

  get size(): number {
    return this.#all.length;
  }

  add(listener: AbortListener): void {
    this.#all.push(listener);
  }

  remove(listener: AbortListener): void {
    const all = this.#all;
    // mostly it is the only one
    if (all.at(-1) === listener) {
      all.pop();
      return;
    }
    const place = all.lastIndexOf(listener);
    if (place >= 0) all.splice(place, 1);
  }

  /** Each of them once. */
  call(): void {
    const all = this.#all;
    this.#all = [];
    for (const listener of all) listener.handleEvent();
  }
}

/**
 * Ends calls as an `AbortSignal` does. It costs next to nothing until it fires: ORMs can end each of their statements, and a
 * true signal with its listeners would cost each a tenth of its time.
 */
export class Interruption implements CallSignal {
  readonly #listeners = new Listeners();
  #fired: { readonly reason: unknown } | undefined;

  get aborted(): boolean {
    return this.#fired !== undefined;
  }

  get reason(): unknown {
    return this.#fired?.reason;
  }

  addEventListener(_: "abort", listener: AbortListener): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_: "abort", listener: AbortListener): void {
    this.#listeners.remove(listener);
  }

  /** Once. */
  fire(reason: unknown): void {
    if (this.#fired !== undefined) return;
    this.#fired = { reason };
    this.#listeners.call();
  }
}

/**
 * Listens to a true signal for all calls that were given it. What listens to one itself stays in memory until the next full collection,
 * also when it was removed, as soon as one of those before it does: with the signal of a job of ten thousand statements that is all
 * that the job has ever held.
 */
class Relay implements CallSignal, AbortListener {
  readonly #signal: AbortSignal;
  readonly #listeners = new Listeners();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get aborted(): boolean {
    return this.#signal.aborted;
  }

  get reason(): unknown {
    return this.#signal.reason;
  }

  addEventListener(_: "abort", listener: AbortListener): void {
    if (this.#listeners.size === 0) this.#signal.addEventListener("abort", this, { once: true });
    this.#listeners.add(listener);
  }

  removeEventListener(_: "abort", listener: AbortListener): void {
    this.#listeners.remove(listener);
    if (this.#listeners.size === 0) this.#signal.removeEventListener("abort", this);
  }

  handleEvent(): void {
    this.#listeners.call();
  }
}

/** Not in a WeakMap: what is in one stays in memory until the next full collection as well. */
const RELAY = Symbol("mirrorpool.relay");

/** As a call listens to it: one relay for each true signal. */
export function listened(signal: CallSignal | undefined): CallSignal | undefined {
  if (!(signal instanceof AbortSignal) || !Object.isExtensible(signal)) return signal;
  const known: AbortSignal & { [RELAY]?: Relay } = signal;
  known[RELAY] ??= new Relay(signal);
  return known[RELAY];
}

/** Fires with the first of two, where there are two. */
export function either(one: CallSignal | undefined, other: CallSignal | undefined): CallSignal | undefined {
  const [first, second] = [listened(one), listened(other)];
  return first !== undefined && second !== undefined ? new Either(first, second) : (first ?? second);
}

/**
 * What `AbortSignal.any` does, which leaves an entry with each signal that it was given until the next full collection. A listener
 * that goes on after its first call may get a second one.
 */
class Either implements CallSignal {
  readonly #one: CallSignal;
  readonly #other: CallSignal;

  constructor(one: CallSignal, other: CallSignal) {
    this.#one = one;
    this.#other = other;
  }

  get aborted(): boolean {
    return this.#one.aborted || this.#other.aborted;
  }

  get reason(): unknown {
    return this.#one.aborted ? this.#one.reason : this.#other.reason;
  }

  addEventListener(type: "abort", listener: AbortListener, options: { readonly once: true }): void {
    this.#one.addEventListener(type, listener, options);
    this.#other.addEventListener(type, listener, options);
  }

  removeEventListener(type: "abort", listener: AbortListener): void {
    this.#one.removeEventListener(type, listener);
    this.#other.removeEventListener(type, listener);
  }
}
