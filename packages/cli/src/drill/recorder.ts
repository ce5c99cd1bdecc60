/** What a tenth of a second of a drill was like. */
export interface Slot {
  /** From the beginning, in ms. */
  readonly at: number;
  done: number;
  failed: number;
  slowestMs: number;
}

export interface DrillError {
  readonly at: number;
  readonly code: string;
  readonly message: string;
}

const SLOT_MS = 100;
/** So many errors are kept whole; all are counted. */
const MAX_ERRORS = 200;

/** Counts operations by the time at which they ended. */
export class Recorder {
  readonly #startedAt = performance.now();
  readonly #slots: Slot[] = [];
  readonly errors: DrillError[] = [];
  readonly #codes = new Map<string, number>();
  done = 0;
  failed = 0;
  #lastDoneAt = 0;
  #longestGapMs = 0;

  /** Milliseconds since the beginning. */
  get now(): number {
    return performance.now() - this.#startedAt;
  }

  get slots(): readonly Slot[] {
    return this.#slots;
  }

  get codes(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#codes);
  }

  /** Begins to look for the longest time without an operation that ended well. */
  watchGap(): void {
    this.#lastDoneAt = this.now;
    this.#longestGapMs = 0;
  }

  get longestGapMs(): number {
    return Math.max(this.#longestGapMs, this.now - this.#lastDoneAt);
  }

  end(startedAt: number, error: unknown): void {
    const at = this.now;
    const slot = this.#slotOf(at);
    slot.slowestMs = Math.max(slot.slowestMs, at - startedAt);
    if (error === undefined) {
      slot.done += 1;
      this.done += 1;
      this.#longestGapMs = Math.max(this.#longestGapMs, at - this.#lastDoneAt);
      this.#lastDoneAt = at;
      return;
    }
    slot.failed += 1;
    this.failed += 1;
    const given = error instanceof Error && "code" in error ? error.code : undefined;
    const code = typeof given === "string" ? given : error instanceof Error ? error.name : "error";
    this.#codes.set(code, (this.#codes.get(code) ?? 0) + 1);
    const message = error instanceof Error ? error.message : String(error);
    if (this.errors.length < MAX_ERRORS) this.errors.push({ at: Math.round(at), code, message });
  }

  #slotOf(at: number): Slot {
    const index = Math.floor(at / SLOT_MS);
    while (this.#slots.length <= index)
      this.#slots.push({ at: this.#slots.length * SLOT_MS, done: 0, failed: 0, slowestMs: 0 });
    return this.#slots[index] as Slot; // filled up to here
  }
}
