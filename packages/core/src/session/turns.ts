import type { Call } from "../call.ts";
import type { Waiter } from "../waiters.ts";
import { Waiters } from "../waiters.ts";

/** Statements that one session may have waiting for their turn. */
const MAX_QUEUED = 1000;

/** The statements of one session, one after the other, in the order in which they were given. */
export class Turns {
  /** Made for the first that has to wait: most sessions run one statement at a time. */
  #line: Waiters<void> | undefined;
  #isTaken = false;

  get isTaken(): boolean {
    return this.#isTaken;
  }

  get isAwaited(): boolean {
    return this.#line !== undefined && this.#line.size > 0;
  }

  /** Takes the turn where nobody has it: a promise would cost every statement something. */
  tryTake(): boolean {
    if (this.#isTaken) return false;
    this.#isTaken = true;
    return true;
  }

  /** Resolves when it is this call's turn. Ends with `onEnd`'s error at the call's end. @throws {QueueFullError} */
  take(call: Call, onEnd: (reason: "deadline" | "aborted") => unknown): Promise<void> {
    this.#line ??= new Waiters("statements of one session", MAX_QUEUED);
    const line = this.#line;
    let waiter: Waiter<void> | undefined;
    return call.wait<void>(
      (resolve, reject) => {
        waiter = { resolve, reject };
        line.join(waiter);
      },
      (cause) => {
        if (waiter !== undefined) line.leave(waiter);
        return onEnd(cause === "aborted" ? "aborted" : "deadline");
      },
    );
  }

  /** Hands the turn on to who waits longest. */
  end(): void {
    const next = this.#line?.shift();
    if (next === undefined) this.#isTaken = false;
    else next.resolve();
  }
}
