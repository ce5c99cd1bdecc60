/** A stream whose writes can be held back. */
export interface Holdable {
  readonly writableCorked: number;
  cork(): void;
  uncork(): void;
}

/** Nothing is held back for longer by what else runs in the turn. */
const MAX_HOLD_MS = 2;
/** After so many turns with one statement at most, a statement waits for no other, and the end of its turn is not waited for. */
const QUIET_TURNS = 16;
/** Statements that follow each other faster are not those of a single caller. */
const QUIET_GAP_MS = 0.1;

/**
 * What is sent in one turn of the event loop leaves at its end, on all connections. A system call wakes a server, which takes the
 * processor away where there are few: in between, each statement would begin with cold caches, and each commit be flushed alone.
 */
export class Outbox {
  readonly #now: () => number;
  #held: Holdable[] = [];
  /** When the first statement of this turn came, or the last one after quiet turns. */
  #since = Number.NEGATIVE_INFINITY;
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
      const isFollower = now - this.#since <= QUIET_GAP_MS;
      this.#since = now;
      if (this.#quietTurns >= QUIET_TURNS && !isFollower) return;
      if (isFollower) this.#quietTurns = 0;
      setImmediate(this.#endTurn);
    }
    this.#count += 1;
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
