/** Reads the bytes of an event one after the other; whole numbers have their lowest byte first. */
export class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Of up to six bytes. */
  uint(bytes: number): number {
    this.#at += bytes;
    return this.#bytes.readUIntLE(this.#at - bytes, bytes);
  }

  uint64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigUInt64LE(this.#at - 8);
  }

  /** A whole number that says by its first byte how long it is. */
  size(): number {
    const first = this.uint(1);
    if (first < 0xfb) return first;
    if (first === 0xfe) return Number(this.uint64());
    return this.uint(first === 0xfc ? 2 : 3);
  }

  /** The same bytes, not a copy. @throws {Error} where there are fewer */
  bytes(count: number): Buffer {
    if (count > this.left) throw new Error("an event of the binary log is shorter than it says");
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  rest(): Buffer {
    return this.bytes(this.left);
  }

  text(bytes: number): string {
    return this.bytes(bytes).toString("utf8");
  }

  skip(bytes: number): void {
    this.bytes(bytes);
  }
}
