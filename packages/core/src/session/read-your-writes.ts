import { AsyncLocalStorage } from "node:async_hooks";
import type { LastWrites } from "../routing/freshness.ts";
import type { FreshnessToken } from "../routing/freshness-token.ts";

/** What one context, such as a request, has to see. */
interface ContextMark {
  wroteAt: number;
  readonly token: FreshnessToken | undefined;
}

/** Remembers when the last writes completed: of the process, and of each context that asked for it. */
export class ReadYourWrites implements LastWrites {
  readonly #contexts = new AsyncLocalStorage<ContextMark>();
  #process = Number.NEGATIVE_INFINITY;

  get process(): number {
    return this.#process;
  }

  get context(): number | undefined {
    return this.#contexts.getStore()?.wroteAt;
  }

  /** What the caller's context was begun with. */
  get token(): FreshnessToken | undefined {
    return this.#contexts.getStore()?.token;
  }

  /** A write of the caller's has completed, or may have. */
  note(at: number): void {
    this.#process = at;
    const mark = this.#contexts.getStore();
    if (mark !== undefined) mark.wroteAt = at;
  }

  /** Runs the callback, and all that it begins, in a context of its own. */
  run<T>(callback: () => T, token: FreshnessToken | undefined): T {
    return this.#contexts.run({ wroteAt: Number.NEGATIVE_INFINITY, token }, callback);
  }
}
