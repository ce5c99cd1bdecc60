import { ConnectionLost, serverNumberOf } from "./classify.ts";
import { attempt, type Callback, isFatal } from "./pipeline.ts";
import { statusOf } from "./result.ts";
import type { Send, Wire } from "./wire.ts";

/** What a statement came to: the library's answer, and what the server said of the commands around it. */
export interface Outcome {
  error?: unknown;
  answer?: unknown;
  fields?: unknown;
  /** The first error of a command around it: the statement may not have been sent. */
  refusal?: unknown;
}

/** A statement and the commands around it, in the order in which they are sent. */
export interface Exchange {
  readonly before: readonly Send[];
  /** Hands the statement to the client. */
  readonly send: (callback: Callback) => void;
  readonly behind: readonly Send[];
  /** Whether a transaction may be open after it, also where it fails. */
  readonly mayBeOpen: boolean;
}

/** Statements with commands around them, one at a time: each ends when all of it is answered, or with its connection. */
export class Exchanges {
  readonly #wire: Wire;
  readonly #destroy: () => void;
  /** Rejects the one under way: `mysql2` forgets it when its connection is destroyed. */
  #lose: ((cause: unknown) => void) | undefined;

  /** @param destroy ends the connection, and has {@link Exchanges.lose} called */
  constructor(wire: Wire, destroy: () => void) {
    this.#wire = wire;
    this.#destroy = destroy;
  }

  /** One is under way. */
  get isBusy(): boolean {
    return this.#lose !== undefined;
  }

  /** @throws {ConnectionLost} or, where it has spoken, what the server said */
  make({ before, send, behind, mayBeOpen }: Exchange): Promise<Outcome> {
    return new Promise<Outcome>((resolve, reject) => {
      const outcome: Outcome = {};
      let isAnswered = false;
      let isThrough = false;
      const settle = (): void => {
        if (!isAnswered || !isThrough || this.#lose !== lose) return;
        this.#lose = undefined;
        if (behind.length === 0 && outcome.error === undefined) {
          this.#wire.note(statusOf(outcome.answer, outcome.fields));
        }
        resolve(outcome);
      };
      const lose = (cause: unknown): void => {
        this.#lose = undefined;
        // the server's own words hold also where the connection ended right after them
        const said = outcome.refusal ?? outcome.error;
        if (serverNumberOf(said) !== undefined) reject(said);
        else reject(new ConnectionLost("the connection was lost under a statement", outcome.error ?? cause));
      };
      this.#lose = lose;
      const callback: Callback = (error, answer, fields) => {
        if (this.#lose !== lose || isAnswered) return;
        isAnswered = true;
        if (error) {
          outcome.error = error;
          if (isFatal(error)) return this.#destroy();
          // no error says whether the transaction is still open
          if (mayBeOpen || !this.#wire.isAutocommit) this.#wire.ask();
        } else {
          outcome.answer = answer;
          outcome.fields = fields;
        }
        settle();
      };
      const onThrough = (refusal: unknown): void => {
        outcome.refusal = refusal;
        isThrough = true;
        if (refusal !== undefined) isAnswered = true; // it may not have been sent
        settle();
      };
      this.#wire.send(before, () => attempt(send, callback), behind, onThrough);
    });
  }

  /** The connection is lost. */
  lose(cause: unknown): void {
    this.#lose?.(cause);
  }
}
