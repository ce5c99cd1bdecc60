/** How far a job is. Plain data. */
export interface Progress {
  readonly job: string;
  readonly phase: "plan" | "rows" | "constraints" | "done";
  readonly chunks: { readonly done: number; readonly total: number };
  readonly rows: number;
  readonly bytes: number;
  readonly rowsPerSecond: number;
  readonly bytesPerSecond: number;
  /** Undefined until there is something to estimate it from. */
  readonly remainingMs: number | undefined;
}

/** How often it is told, in milliseconds. */
const INTERVAL_MS = 250;

/** Counts, and tells now and then. A listener that throws is none of the job's business: it ends the job's telling, not the job. */
export class Meter {
  readonly #job: string;
  #listener: ((progress: Progress) => void) | undefined;
  readonly #startedAt = performance.now();
  #toldAt = Number.NEGATIVE_INFINITY;
  #phase: Progress["phase"] = "plan";
  #total = 0;
  #done = 0;
  #weight = 0;
  #doneWeight = 0;
  /** Of what was done before this run: it took no time of this one. */
  #weightBefore = 0;
  #rows = 0;
  #bytes = 0;

  constructor(job: string, listener: ((progress: Progress) => void) | undefined) {
    this.#job = job;
    this.#listener = listener;
  }

  /**
   * Of one pass over everything: another one begins anew.
   * @param weights an estimate of each chunk's bytes
   */
  plan(weights: readonly number[]): void {
    this.#done = 0;
    this.#doneWeight = 0;
    this.#weightBefore = 0;
    this.#total = weights.length;
    this.#weight = weights.reduce((sum, each) => sum + each, 0);
  }

  enter(phase: Progress["phase"]): void {
    this.#phase = phase;
    this.tell(true);
  }

  /** A chunk of an earlier run. */
  skip(weight: number): void {
    this.#weightBefore += weight;
    this.finish(weight);
  }

  move(bytes: number): void {
    this.#bytes += bytes;
    this.tell(false);
  }

  /** What was moved did not take effect. */
  takeBack(bytes: number): void {
    this.#bytes -= bytes;
  }

  count(rows: number): void {
    this.#rows += rows;
  }

  finish(weight: number): void {
    this.#done += 1;
    this.#doneWeight += weight;
    this.tell(false);
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  get snapshot(): Progress {
    const seconds = Math.max(this.elapsedMs / 1000, 0.001);
    const moved = this.#doneWeight - this.#weightBefore;
    const left = this.#weight - this.#doneWeight;
    return Object.freeze({
      job: this.#job,
      phase: this.#phase,
      chunks: Object.freeze({ done: this.#done, total: this.#total }),
      rows: this.#rows,
      bytes: this.#bytes,
      rowsPerSecond: Math.round(this.#rows / seconds),
      bytesPerSecond: Math.round(this.#bytes / seconds),
      remainingMs: moved > 0 ? Math.max(0, Math.round((this.elapsedMs * left) / moved)) : undefined,
    });
  }

  tell(isDue: boolean): void {
    if (this.#listener === undefined) return;
    const now = performance.now();
    if (!isDue && now - this.#toldAt < INTERVAL_MS) return;
    this.#toldAt = now;
    try {
      this.#listener(this.snapshot);
    } catch (error) {
      this.#listener = undefined;
      const why = error instanceof Error ? error.message : String(error);
      process.emitWarning(`onProgress has thrown, and is not called any more: ${why}`, "MirrorpoolWarning");
    }
  }
}
