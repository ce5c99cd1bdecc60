/** Counts what is under way, so that a pause or a switchover can wait for its end. */
export class Work {
  #reads = 0;
  #writes = 0;
  readonly #listeners = new Set<() => void>();

  begin(intent: "read" | "write"): void {
    if (intent === "read") this.#reads += 1;
    else this.#writes += 1;
  }

  end(intent: "read" | "write"): void {
    if (intent === "read") this.#reads -= 1;
    else this.#writes -= 1;
    for (const listener of this.#listeners) listener();
  }

  /** Statements and transactions under way; transactions count as writes. */
  get total(): number {
    return this.#reads + this.#writes;
  }

  get writes(): number {
    return this.#writes;
  }

  /** Calls back whenever something has ended. Returns the function that ends it. */
  onEnd(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
