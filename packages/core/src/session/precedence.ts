import type { Call } from "../call.ts";
import type { Environment, Timer } from "../clock.ts";
import { AbortedError } from "../errors.ts";
import type { NodeId } from "../topology/node.ts";

/** How long new writes let others go first, at most: it is a matter of milliseconds, unless a replay has to wait for a lock. */
const LIMIT_MS = 1000;

/**
 * What was under way on a node that is lost goes before new writes on the next one. These would take what it was given already,
 * such as the ids of new rows, and its replay would be answered otherwise.
 */
export class Precedence {
  readonly #environment: Environment;
  /** How much is being settled or run again, by the node that it was lost with. */
  readonly #lost = new Map<NodeId, number>();
  readonly #waiting = new Set<() => void>();
  #limit: Timer | undefined;
  /** Nothing more is waited for until all that is under way is through. */
  #isSpent = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Nobody has to wait. Most statements need to know no more. */
  get isOpen(): boolean {
    return this.#lost.size === 0 || this.#isSpent;
  }

  /** Whether a new write may go to this node: what was lost with that very one had its place there already. */
  mayGo(to: NodeId): boolean {
    return this.isOpen || (this.#lost.size === 1 && this.#lost.has(to));
  }

  /** While this work lasts. */
  async during<T>(node: NodeId, work: () => Promise<T>): Promise<T> {
    this.#lost.set(node, (this.#lost.get(node) ?? 0) + 1);
    try {
      return await work();
    } finally {
      // what was settled may be run again now, which begins in a moment
      this.#environment.schedule(0, () => this.#end(node), true);
    }
  }

  /** Resolves when new writes may go, or the call is over. @throws {AbortedError} */
  async wait(call: Call): Promise<void> {
    this.#limit ??= this.#environment.schedule(LIMIT_MS, () => this.#open(true), true);
    let go = (): void => {};
    await call
      .wait<void>(
        (resolve) => {
          go = resolve;
          this.#waiting.add(go);
        },
        (cause) => (cause === "aborted" ? new AbortedError(call.signal?.reason) : OVER),
      )
      .catch((error) => {
        if (error !== OVER) throw error;
      })
      .finally(() => this.#waiting.delete(go));
  }

  #end(node: NodeId): void {
    const count = (this.#lost.get(node) ?? 1) - 1;
    if (count > 0) this.#lost.set(node, count);
    else this.#lost.delete(node);
    if (this.#lost.size === 0) this.#open(false);
  }

  #open(isSpent: boolean): void {
    this.#isSpent = isSpent;
    this.#limit?.cancel();
    this.#limit = undefined;
    for (const go of this.#waiting) go();
  }
}

const OVER = Symbol("the call is over");
