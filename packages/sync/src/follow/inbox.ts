/** Messages that came and were not taken yet. Bounded by whoever fills it, who is told when it is full and when it has room. */
export class Inbox<Message> {
  readonly #maxBytes: number;
  readonly #onFull: () => void;
  readonly #onRoom: () => void;
  #items: { readonly message: Message; readonly bytes: number }[] = [];
  #next = 0;
  #bytes = 0;
  #waiting: { readonly resolve: (message: Message) => void; readonly reject: (error: unknown) => void } | undefined;
  #end: { readonly error: unknown } | undefined;

  constructor(maxBytes: number, onFull: () => void, onRoom: () => void) {
    this.#maxBytes = maxBytes;
    this.#onFull = onFull;
    this.#onRoom = onRoom;
  }

  get isEmpty(): boolean {
    return this.#next >= this.#items.length;
  }

  put(message: Message, bytes: number): void {
    if (this.#waiting !== undefined) {
      const { resolve } = this.#waiting;
      this.#waiting = undefined;
      resolve(message);
      return;
    }
    this.#items.push({ message, bytes });
    this.#bytes += bytes;
    if (this.#bytes >= this.#maxBytes) this.#onFull();
  }

  /** No more will come. What is there can still be taken. */
  end(error: unknown): void {
    this.#end ??= { error };
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  /** The next one, now or when it comes. */
  take(): Promise<Message> {
    const item = this.#items[this.#next];
    if (item !== undefined) {
      this.#next += 1;
      this.#bytes -= item.bytes;
      if (this.#next >= 1024) {
        this.#items = this.#items.slice(this.#next);
        this.#next = 0;
      }
      if (this.#bytes < this.#maxBytes / 2) this.#onRoom();
      return Promise.resolve(item.message);
    }
    if (this.#end !== undefined) return Promise.reject(this.#end.error);
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }
}
