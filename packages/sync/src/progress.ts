/** How far a job is. Plain data. */
export interface Progress {
  readonly job: string;
  readonly phase: "plan" | "rows" | "constraints" | "compare" | "done";
  readonly chunks: { readonly done: number; readonly total: number };
  readonly rows: number;
  /** Of content, uncompressed. */
  readonly bytes: number;
  readonly rowsPerSecond: number;
  readonly bytesPerSecond: number;
  /** A guess from what is done and what is to come; undefined until there is something to estimate it from. */
  readonly remainingMs: number | undefined;
}

/** How often it is told that bytes have moved, in milliseconds. Phases and chunks that are done are told at once. */
const INTERVAL_MS = 250;

/** Counts, and tells. A listener that throws is none of the job's business: it ends the job's telling, not the job. */
export class Meter {
  readonly #job: string;
  #listener: ((progress: Progress) => void) | undefined;
  readonly #startedAt = performance.now();
  #toldAt = Number.NEGATIVE_INFINITY;
  #phase: Progress["phase"] = "plan";
  #total = 0;
  #done = 0;
  #rows = 0;
  #bytes = 0;
  /** Of the pass that runs: what was done before took no time of it, and does not count for its pace. */
  #pass = { startedAt: this.#startedAt, weight: 0, doneWeight: 0, weightBefore: 0, rowsBefore: 0, bytesBefore: 0 };

  /** @param job as it is told */
  constructor(job: string, listener: ((progress: Progress) => void) | undefined) {
    this.#job = job;
    this.#listener = listener;
  }

  /**
   * Begins a pass over everything.
   * @param weights an estimate of each chunk's bytes
   */
  plan(weights: readonly number[]): void {
    this.#done = 0;
    this.#total = weights.length;
    this.#pass = {
      startedAt: performance.now(),
      weight: weights.reduce((sum, each) => sum + each, 0),
      doneWeight: 0,
      weightBefore: 0,
      rowsBefore: this.#rows,
      bytesBefore: this.#bytes,
    };
  }

  enter(phase: Progress["phase"]): void {
    this.#phase = phase;
    this.#tell();
  }

  /** A chunk of an earlier run, with what of it is to be counted here. */
  skip(weight: number, rows = 0, bytes = 0): void {
    this.#done += 1;
    this.#rows += rows;
    this.#bytes += bytes;
    this.#pass.doneWeight += weight;
    this.#pass.weightBefore += weight;
    this.#pass.rowsBefore += rows;
    this.#pass.bytesBefore += bytes;
  }

  move(bytes: number): void {
    this.#bytes += bytes;
    if (this.#listener !== undefined && performance.now() - this.#toldAt >= INTERVAL_MS) this.#tell();
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
    this.#pass.doneWeight += weight;
    this.#tell();
  }

  get elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  get snapshot(): Progress {
    const { startedAt, weight, doneWeight, weightBefore, rowsBefore, bytesBefore } = this.#pass;
    const elapsedMs = Math.max(performance.now() - startedAt, 1);
    const moved = doneWeight - weightBefore;
    return Object.freeze({
      job: this.#job,
      phase: this.#phase,
      chunks: Object.freeze({ done: this.#done, total: this.#total }),
      rows: this.#rows,
      bytes: this.#bytes,
      rowsPerSecond: Math.round((1000 * (this.#rows - rowsBefore)) / elapsedMs),
      bytesPerSecond: Math.round((1000 * (this.#bytes - bytesBefore)) / elapsedMs),
      remainingMs: moved > 0 ? Math.max(0, Math.round((elapsedMs * (weight - doneWeight)) / moved)) : undefined,
    });
  }

  #tell(): void {
    if (this.#listener === undefined) return;
    this.#toldAt = performance.now();
    try {
      this.#listener(this.snapshot);
    } catch (error) {
      this.#listener = undefined;
      const why = error instanceof Error ? error.message : String(error);
      process.emitWarning(`onProgress has thrown, and is not called any more: ${why}`, "MirrorpoolWarning");
    }
  }
}
