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

/**
 * Ends calls as an `AbortSignal` does. It costs next to nothing until it fires: ORMs can end each of their statements, and a
 * true signal with its listeners would cost each a tenth of its time.
 */
export class Interruption implements CallSignal {
  #listeners: AbortListener[] = [];
  #fired: { readonly reason: unknown } | undefined;
  /** For what needs a true one. */
  #controller: AbortController | undefined;

  get aborted(): boolean {
    return this.#fired !== undefined;
  }

  get reason(): unknown {
    return this.#fired?.reason;
  }

  /** Also fires with the given signal. */
  with(signal: AbortSignal | undefined): CallSignal {
    if (signal === undefined) return this;
    this.#controller ??= new AbortController();
    return AbortSignal.any([signal, this.#controller.signal]);
  }

  addEventListener(_: "abort", listener: AbortListener): void {
    this.#listeners.push(listener);
  }

  removeEventListener(_: "abort", listener: AbortListener): void {
    const listeners = this.#listeners;
    // mostly it is the only one
    if (listeners.at(-1) === listener) {
      listeners.pop();
      return;
    }
    const place = listeners.lastIndexOf(listener);
    if (place >= 0) listeners.splice(place, 1);
  }

  /** Once. */
  fire(reason: unknown): void {
    if (this.#fired !== undefined) return;
    this.#fired = { reason };
    this.#controller?.abort(reason);
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener.handleEvent();
  }
}
