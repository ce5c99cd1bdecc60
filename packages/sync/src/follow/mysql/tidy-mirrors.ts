import type { FailoverPool } from "@mirrorpool/core";
import type { Replica } from "./replica.ts";

/** Former primaries of the target that are mirrors now: what they have got from the source themselves they get from the new primary. */
export class TidyMirrors {
  readonly #to: FailoverPool;
  readonly #replica: Replica;
  /** Those that have nothing left of it. */
  readonly #tidy = new Set<string>();

  constructor(to: FailoverPool, replica: Replica) {
    this.#to = to;
    this.#replica = replica;
  }

  /** Looks at each mirror when it comes, and again when it comes back. */
  async tidy(signal: AbortSignal): Promise<void> {
    const { primary, nodes } = this.#to.topology();
    for (const { id, role, status, fence } of nodes) {
      if (id === primary || role !== "mirror" || status !== "up" || fence !== undefined) this.#tidy.delete(id);
      else if (!this.#tidy.has(id)) await this.#remove(id, signal);
    }
  }

  async #remove(node: string, signal: AbortSignal): Promise<void> {
    const on = await this.#to.reserve({ on: { node }, signal });
    try {
      await this.#replica.remove(on, signal);
      this.#tidy.add(node);
    } finally {
      on.release();
    }
  }
}
