/** A stream whose writes can be held back. */
export interface Holdable {
  readonly writableCorked: number;
  cork(): void;
  uncork(): void;
}

/** Nothing is held back for longer by what else runs in the turn. */
const MAX_HOLD_MS = 2;

/**
 * What is sent in one turn of the event loop leaves at its end, on all connections. A system call wakes a server, which takes the
 * processor away where there are few: in between, each statement would begin with cold caches, and each commit be flushed alone.
 */
export class Outbox {
  readonly #now: () => number;
  #held: Holdable[] = [];
  #since = 0;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** What is written to the stream from now on, in this turn. */
  hold(stream: Holdable): void {
    if (stream.writableCorked > 0) return;
    const now = this.#now();
    if (this.#held.length === 0) {
      this.#since = now;
      setImmediate(this.#flush);
    } else if (now - this.#since > MAX_HOLD_MS) {
      this.#flush();
      return;
    }
    stream.cork();
    this.#held.push(stream);
  }

  readonly #flush = (): void => {
    const held = this.#held;
    this.#held = [];
    for (const stream of held) stream.uncork();
  };
}

/** That of this process, for its drivers. */
export const outbox: Outbox = new Outbox();
