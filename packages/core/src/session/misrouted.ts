/** Statements that looked like reads and that a mirror refused as writes: remembered by text, bounded. */
export class Misrouted {
  readonly #texts = new Set<string>();
  readonly #limit: number;

  constructor(limit = 1000) {
    this.#limit = limit;
  }

  has(text: string): boolean {
    return this.#texts.size > 0 && this.#texts.has(text);
  }

  /** At the bound the oldest is forgotten: it would merely be refused once more. */
  add(text: string): void {
    this.#texts.add(text);
    if (this.#texts.size <= this.#limit) return;
    for (const oldest of this.#texts) {
      this.#texts.delete(oldest);
      return;
    }
  }
}
