import type { Result } from "@mirrorpool/core";

/** One statement of a pipeline, which is settled once the server is ready for the next one. */
interface Piped {
  failure: { readonly error: unknown } | undefined;
  settle(error: unknown): void;
}

/**
 * Statements under way on one connection, in the order of their answers. An error is told at the server's ReadyForQuery: before
 * that the connection is not done with its statement.
 */
export class Pipeline {
  readonly #piped: Piped[] = [];

  get size(): number {
    return this.#piped.length;
  }

  /** @param send hands the statement to `pg`, with what it calls with an error or a result */
  add(send: (callback: (error: unknown, answer: Result) => void) => void, isLost: () => boolean): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const piped: Piped = { failure: undefined, settle: reject };
      this.#piped.push(piped);
      send((error, answer) => {
        if (!this.#piped.includes(piped)) return; // settled: what `pg` refused itself is answered once more
        if (error === null || error === undefined) {
          this.#remove(piped);
          resolve(answer);
        } else {
          piped.failure ??= { error };
          if (isLost()) this.#settle(piped);
        }
      });
    });
  }

  /** The server is ready: the answer of the first is complete. A success settles itself. */
  ready(): void {
    const [head] = this.#piped;
    if (head?.failure !== undefined) this.#settle(head);
  }

  /** The connection is lost: whoever has failed has failed for good. */
  lose(): void {
    for (const piped of [...this.#piped]) if (piped.failure !== undefined) this.#settle(piped);
  }

  #settle(piped: Piped): void {
    this.#remove(piped);
    piped.settle(piped.failure?.error);
  }

  #remove(piped: Piped): void {
    if (this.#piped[0] === piped) this.#piped.shift();
    else this.#piped.splice(this.#piped.indexOf(piped), 1);
  }
}
