/** Chance from a seed: the same seed, the same sequence (sfc32, by Chris Doty-Humphrey; public domain). */
export class Random {
  #a = 0;
  #b = 0;
  #c: number;
  #d = 1;

  constructor(seed: number) {
    this.#c = seed | 0;
    this.#a = Math.imul(seed, 0x9e3779b1) | 0;
    for (let round = 0; round < 12; round += 1) this.next();
  }

  /** From 0 to just under 1. */
  next(): number {
    const sum = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return (sum >>> 0) / 4294967296;
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.next();
  }

  /** A whole number, both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor((high - low + 1) * this.next());
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.next() * choices.length)] as T; // callers pass at least one
  }

  /** Picks by weight. */
  weighted<T>(choices: readonly (readonly [weight: number, choice: T])[]): T {
    let left = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, choice] of choices) {
      left -= weight;
      if (left < 0) return choice;
    }
    return (choices.at(-1) as readonly [number, T])[1];
  }

  /** An independent sequence, so that one part's drawing more does not change what another part draws. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 4294967296));
  }
}
