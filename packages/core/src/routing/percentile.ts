/** Buckets for each doubling: what they hold is alike within a fifth. */
const PER_DOUBLING = 4;
/** The upper edge of the first bucket. The last one ends at a quarter of an hour. */
const LEAST_MS = 0.05;
const BUCKETS = 97;
/** So many times say something: of 20 the slowest one lies beyond the 95th percentile. */
const ENOUGH = 20;
/** Then old times count for half: what a node has become counts more than what it was. */
const MANY = 512;

/** How long things took, by how many of them: an estimate that forgets, in a few hundred bytes. */
export class Percentile {
  readonly #counts = new Uint16Array(BUCKETS);
  readonly #share: number;
  #total = 0;

  /** @param share of the times that are to be below it, 0 to 1 */
  constructor(share: number) {
    this.#share = share;
  }

  note(ms: number): void {
    const bucket = Math.ceil(Math.log2(Math.max(ms, LEAST_MS) / LEAST_MS) * PER_DOUBLING);
    const place = Math.min(bucket, BUCKETS - 1);
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#total += 1;
    if (this.#total >= MANY) this.#forget();
  }

  /** The time that so large a share took at most, up to a fifth more; undefined while too little is known. */
  get ms(): number | undefined {
    if (this.#total < ENOUGH) return undefined;
    let left = this.#share * this.#total;
    const place = this.#counts.findIndex((count) => {
      left -= count;
      return left <= 0;
    });
    return LEAST_MS * 2 ** (place / PER_DOUBLING);
  }

  #forget(): void {
    this.#total = 0;
    for (const [place, count] of this.#counts.entries()) {
      this.#counts[place] = count >> 1;
      this.#total += count >> 1;
    }
  }
}
