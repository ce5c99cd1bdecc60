/** What can lie in a {@link Bag}, in one at a time. */
export interface BagItem {
  /** Where it lies. The bag's own. */
  place: number;
}

/**
 * Things that come and go with every statement, in no order. A Set would do, at a price: V8 moves its entries to a new table
 * every few dozen changes, and each table that has grown old keeps the next one alive, with all that was in it.
 */
export class Bag<T extends BagItem> implements Iterable<T> {
  readonly #items: T[] = [];

  get size(): number {
    return this.#items.length;
  }

  add(item: T): void {
    item.place = this.#items.length;
    this.#items.push(item);
  }

  /** False when it is not there. */
  delete(item: T): boolean {
    const { place } = item;
    if (this.#items[place] !== item) return false;
    const last = this.#items.pop() as T; // there is at least the item
    if (last !== item) {
      this.#items[place] = last;
      last.place = place;
    }
    return true;
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#items.values();
  }
}
