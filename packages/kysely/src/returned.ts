/** What Kysely holds for as long as a query or a transaction takes. */
interface Lendable {
  /** As {@link release}, and it can be lent again as new. @returns false where it cannot, and is still to be released */
  renew(): boolean;
  release(): void;
}

/** Kept at most; a session without work holds no connection. */
const MAX_KEPT = 100;

/**
 * Connections that were given back, to be lent again: Kysely takes one for each query, and has to look into and remember each
 * that it has not seen before.
 */
export class Returned<C extends Lendable> {
  readonly #kept: C[] = [];

  take(): C | undefined {
    return this.#kept.pop();
  }

  giveBack(connection: C): void {
    if (this.#kept.length < MAX_KEPT && connection.renew()) this.#kept.push(connection);
    else connection.release();
  }
}
