/** What is saved for later: so many may be spent at once. */
const MOST = 10;
/** Sums of fractions come out a little short. */
const ROUNDING = 1e-9;

/** A token bucket: each of many things earns a part of what one extra thing costs. It begins empty, so the share always holds. */
export class Budget {
  readonly #share: number;
  #saved = 0;

  /** @param share extra things for each one, 0 to 1 */
  constructor(share: number) {
    this.#share = share;
  }

  earn(): void {
    this.#saved = Math.min(MOST, this.#saved + this.#share);
  }

  trySpend(): boolean {
    if (this.#saved < 1 - ROUNDING) return false;
    this.#saved -= 1;
    return true;
  }
}
