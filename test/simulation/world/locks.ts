import type { Backend } from "./backend.ts";

interface Waiting {
  readonly backend: Backend;
  readonly granted: () => void;
}

/** A server's locks, each held by one transaction until its end. */
export class Locks {
  readonly #holders = new Map<string, Backend>();
  readonly #waiting = new Map<string, Waiting[]>();

  /** True when it is the backend's now; else `granted` is called once it is. */
  acquire(name: string, backend: Backend, granted: () => void): boolean {
    const holder = this.#holders.get(name);
    if (holder === undefined || holder === backend) {
      this.#holders.set(name, backend);
      return true;
    }
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), { backend, granted }]);
    return false;
  }

  releaseAll(backend: Backend): void {
    for (const [name, waiting] of this.#waiting) {
      this.#waiting.set(
        name,
        waiting.filter((each) => each.backend !== backend),
      );
    }
    for (const [name, holder] of [...this.#holders]) {
      if (holder !== backend) continue;
      this.#holders.delete(name);
      const next = this.#waiting.get(name)?.shift();
      if (next === undefined) continue;
      this.#holders.set(name, next.backend);
      next.granted();
    }
  }

  clear(): void {
    this.#holders.clear();
    this.#waiting.clear();
  }
}
