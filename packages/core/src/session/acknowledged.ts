/** Tokens of commits that the application was told of, the latest ones, so that a failover can be asked what became of them. */
export class Acknowledged {
  readonly #limit: number;
  /** Each at its place of a ring. */
  readonly #tokens: string[] = [];
  readonly #times: number[] = [];
  /** Where the next one goes; once the ring is full this is the oldest one's place. */
  #next = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(token: string, at: number): void {
    this.#tokens[this.#next] = token;
    this.#times[this.#next] = at;
    this.#next = (this.#next + 1) % this.#limit;
  }

  /**
   * Those that were told after this time, oldest first: the ledger forgets its old tokens, and a missing one proves nothing then.
   */
  since(time: number): readonly string[] {
    const inOrder = [...this.#tokens.keys()].map((index) => (this.#next + index) % this.#tokens.length);
    return inOrder
      .filter((index) => (this.#times[index] as number) > time)
      .map((index) => this.#tokens[index] as string);
  }
}
