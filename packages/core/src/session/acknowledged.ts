/** Tokens of commits that the application was told of, the latest ones, so that a failover can be asked what became of them. */
export class Acknowledged {
  /** Oldest first. */
  readonly #tokens = new Map<string, number>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(token: string, at: number): void {
    this.#tokens.set(token, at);
    if (this.#tokens.size <= this.#limit) return;
    for (const oldest of this.#tokens.keys()) {
      this.#tokens.delete(oldest);
      return;
    }
  }

  /** Those that were told after this time: the ledger forgets its old tokens, and a missing one proves nothing then. */
  since(time: number): readonly string[] {
    return [...this.#tokens].filter(([, at]) => at > time).map(([token]) => token);
  }
}
