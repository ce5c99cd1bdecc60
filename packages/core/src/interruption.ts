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
 * Listens to a true signal for all the calls that were given it. Node.js links each listener with the one that came after it, also
 * when it is removed: where calls overlap on one signal, as those of a job do, the first of them would keep all later ones in
 * memory until a full collection.
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

const relays = new WeakMap<AbortSignal, Relay>();

/** As a call listens to it: one relay for each true signal. */
export function listened(signal: CallSignal | undefined): CallSignal | undefined {
  if (!(signal instanceof AbortSignal)) return signal;
  let relay = relays.get(signal);
  if (relay === undefined) {
    relay = new Relay(signal);
    relays.set(signal, relay);
  }
  return relay;
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
