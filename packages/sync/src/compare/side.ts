import type { ReservedConnection } from "@mirrorpool/core";
import type { View } from "../dialect.ts";
import { ViewLost } from "../faults.ts";

/** One side of a comparison: connections with one view, or with a new one where that was lost. */
export class Side {
  readonly #openView: (signal: AbortSignal) => Promise<View>;
  #view: View | undefined;
  #opening: Promise<View> | undefined;

  /** @param openView takes a view; called again where that is lost */
  constructor(openView: (signal: AbortSignal) => Promise<View>) {
    this.#openView = openView;
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
    this.#view = await this.#openView(signal);
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
