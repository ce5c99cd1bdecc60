/** A stream whose writes can be held back. */
export interface Holdable {
  readonly writableCorked: number;
  cork(): void;
  uncork(): void;
}

/** Nothing is held back for longer by what else runs in the turn. */
const MAX_HOLD_MS = 2;
/** After so many turns with one statement at most, the first one of a turn waits for no other. */
const QUIET_TURNS = 16;

/**
 * What is sent in one turn of the event loop leaves at its end, on all connections. A system call wakes a server, which takes the
 * processor away where there are few: in between, each statement would begin with cold caches, and each commit be flushed alone.
 */
export class Outbox {
  readonly #now: () => number;
  #held: Holdable[] = [];
  #since = 0;
  /** Statements of this turn. */
  #count = 0;
  #quietTurns = QUIET_TURNS;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** What is written to the stream from now on, in this turn. */
  hold(stream: Holdable): void {
    if (stream.writableCorked > 0) return;
    const now = this.#now();
    if (this.#count === 0) {
      this.#since = now;
      setImmediate(this.#endTurn);
    }
    this.#count += 1;
    if (this.#count === 1 && this.#quietTurns >= QUIET_TURNS) return;
    if (now - this.#since > MAX_HOLD_MS) {
      this.#since = now;
      this.#flush();
      return;
    }
    stream.cork();
    this.#held.push(stream);
  }

  readonly #endTurn = (): void => {
    this.#quietTurns = this.#count > 1 ? 0 : this.#quietTurns + 1;
    this.#count = 0;
    this.#flush();
  };

  #flush(): void {
    const held = this.#held;
    this.#held = [];
    for (const stream of held) stream.uncork();
  }
}

/** That of this process, for its drivers. */
export const outbox: Outbox = new Outbox();
