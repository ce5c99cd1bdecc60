import type { PgBoss } from "pg-boss";
import { type Outcome, REQUESTS } from "./message.ts";

interface Waiter {
  readonly resolve: (outcome: Outcome) => void;
  since: number;
  /** It was not in the queue any more when it was looked for; its answer may have come in that moment. */
  isMissed: boolean;
}

/** So long a unit is waited for before it is looked for in the queue. */
const PATIENCE_MS = 2000;

/** Units that were given out, and who waits for what comes of each. */
export class Waiting {
  readonly #waiters = new Map<string, Waiter>();

  get size(): number {
    return this.#waiters.size;
  }

  /** @returns what comes of it; rejects with the signal's reason */
  wait(id: string, signal: AbortSignal): Promise<Outcome> {
    return new Promise<Outcome>((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      const settle = (outcome: Outcome): void => {
        signal.removeEventListener("abort", onAbort);
        resolve(outcome);
      };
      this.#waiters.set(id, { resolve: settle, since: performance.now(), isMissed: false });
    });
  }

  /** A second answer to the same has nobody waiting. */
  answer(id: string, outcome: Outcome): void {
    this.#waiters.get(id)?.resolve(outcome);
    this.leave(id);
  }

  leave(id: string): void {
    this.#waiters.delete(id);
  }

  /** Looks for those that are waited for: what the queue has given up nobody will ever answer. */
  async lookAfter(queue: Pick<PgBoss, "findJobs">): Promise<void> {
    for (const [id, waiter] of [...this.#waiters]) {
      const now = performance.now();
      if (now - waiter.since < PATIENCE_MS) continue;
      waiter.since = now;
      const [job] = await queue.findJobs(REQUESTS, { id });
      const isGone = job === undefined || job.state === "failed" || job.state === "cancelled";
      if (isGone && waiter.isMissed) this.answer(id, abandoned(job));
      else waiter.isMissed = isGone;
    }
  }
}

function abandoned(job: { readonly retryCount: number; readonly output: object | null } | undefined): Outcome {
  const { message } = (job?.output ?? {}) as { readonly message?: unknown };
  const last = typeof message === "string" ? ` (the last time: ${message})` : "";
  const what =
    job === undefined
      ? "it is not in the queue any more, and nobody has answered"
      : `the queue has given it up: ${job.retryCount + 1} workers have taken it, and each has ended before it was done${last}`;
  return { what: "failed", isPassing: false, code: undefined, message: what };
}
