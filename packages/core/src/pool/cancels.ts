import type { Environment } from "../clock.ts";
import type { Connection } from "../driver.ts";

/** So late a cancel still ends what runs, and with it the locks that it holds, though nobody waits for the answer any more. */
const LIMIT_MS = 10_000;

/** How long they may go on when the pool closes. */
const CLOSE_MS = 500;

/** Cancels that servers were asked for. Each goes on by itself when its connection is gone, as over a long way it takes several trips. */
export class Cancels {
  readonly #environment: Environment;
  readonly #underWay = new Map<AbortController, Promise<boolean>>();
  #isClosing = false;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Asks the server of a connection to give up what runs on it. @returns whether it was certainly asked, after 10 s at most */
  ask(connection: Connection): Promise<boolean> {
    if (this.#isClosing) return Promise.resolve(false);
    const attempt = new AbortController();
    const onLate = (): void => attempt.abort(new Error("the server did not take the cancel in time"));
    const timer = this.#environment.schedule(LIMIT_MS, onLate, false);
    const asked = connection.cancel(attempt.signal).then(
      () => true,
      () => false, // it may be taken all the same, and later
    );
    const ending = asked.finally(() => {
      timer.cancel();
      this.#underWay.delete(attempt);
    });
    this.#underWay.set(attempt, ending);
    return ending;
  }

  /** Gives them a last short while, and takes no more. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const giveUp = (): void => {
      for (const attempt of this.#underWay.keys()) attempt.abort(new Error("the pool is closed"));
    };
    const timer = this.#environment.schedule(CLOSE_MS, giveUp, false);
    await Promise.all(this.#underWay.values());
    timer.cancel();
  }
}
