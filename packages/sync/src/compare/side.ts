import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { Dialect, View } from "../dialect.ts";
import { ViewLost } from "../faults.ts";

/** One side of a comparison: connections with one view, or with a new one where that was lost. */
export class Side {
  readonly #pool: FailoverPool;
  readonly #dialect: Dialect;
  readonly #on: "primary" | "mirror";
  #view: View | undefined;
  #opening: Promise<View> | undefined;
  /** Views that were taken. */
  views = 0;

  constructor(pool: FailoverPool, dialect: Dialect, on: "primary" | "mirror") {
    this.#pool = pool;
    this.#dialect = dialect;
    this.#on = on;
  }

  async view(signal: AbortSignal): Promise<View> {
    if (this.#view?.isAlive === true) return this.#view;
    this.#opening ??= this.#open(signal).finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #open(signal: AbortSignal): Promise<View> {
    this.#view?.close();
    this.#view = await this.#dialect.openView(this.#pool, this.#on, signal);
    this.views += 1;
    return this.#view;
  }

  async reader(signal: AbortSignal): Promise<ReservedConnection> {
    for (;;) {
      const view = await this.view(signal);
      try {
        return await view.reader(signal);
      } catch (error) {
        if (!(error instanceof ViewLost)) throw error;
        view.close();
      }
    }
  }

  close(): void {
    this.#view?.close();
  }
}
