/** A map from text that never holds more than its bound. */
export interface Cache<Value> {
  /** How many entries it holds now. */
  readonly size: number;
  /** The value of a text, made and kept if it is not there. */
  get(text: string, make: (text: string) => Value): Value;
}

/**
 * Keeps what was used of late, in two generations: a full young generation becomes the old one, and what the old one
 * still holds by then is forgotten. A hit among the young costs one lookup and moves nothing.
 *
 * @param maxEntries the bound, at least 2
 */
export function createCache<Value>(maxEntries: number): Cache<Value> {
  const generationSize = Math.floor(maxEntries / 2);
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();

  return {
    get size() {
      return young.size + old.size;
    },
    get(text, make) {
      const known = young.get(text);
      if (known !== undefined) return known;
      const value = old.get(text) ?? make(text);
      old.delete(text);
      if (young.size >= generationSize) {
        old = young;
        young = new Map();
      }
      young.set(text, value);
      return value;
    },
  };
}
