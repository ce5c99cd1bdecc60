/** Tokens of commits that the application was told of, the latest ones, so that a failover can be asked what became of them. */
export class Acknowledged {
  readonly #tokens = new Set<string>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(token: string): void {
    this.#tokens.add(token);
    if (this.#tokens.size <= this.#limit) return;
    for (const oldest of this.#tokens) {
      this.#tokens.delete(oldest);
      return;
    }
  }

  get tokens(): readonly string[] {
    return [...this.#tokens];
  }
}
