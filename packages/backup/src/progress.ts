/** How far a job is. */
export interface Progress {
  readonly phase: "plan" | "data" | "index" | "finish" | "compare";
  readonly chunksDone: number;
  readonly chunks: number;
  readonly rows: number;
  /** Of content, uncompressed. */
  readonly bytes: number;
  readonly bytesPerSecond: number;
  /** A guess from what is done and what is to come; undefined while nothing is done. */
  readonly secondsLeft: number | undefined;
}

/** At most so often a listener is called, except for the first and the last time of a phase. */
const INTERVAL_MS = 200;

/** Counts what is done, and tells it now and then. */
export class Meter {
  readonly #listener: ((progress: Progress) => void) | undefined;
  #phase: Progress["phase"] = "plan";
  #toldAt = Number.NEGATIVE_INFINITY;
  #startedAt = performance.now();
  /** What was done before this run does not count for its pace. */
  #weightHere = 0;
  #weightLeft = 0;
  chunks = 0;
  chunksDone = 0;
  rows = 0;
  bytes = 0;
  #bytesHere = 0;

  constructor(listener: ((progress: Progress) => void) | undefined) {
    this.#listener = listener;
  }

  enter(phase: Progress["phase"]): void {
    this.#phase = phase;
    if (phase === "data") this.#startedAt = performance.now();
    this.#tell();
  }

  /** @param weight of the chunks to come, in any measure that `done` uses as well */
  expect(chunks: number, weight: number): void {
    this.chunks = chunks;
    this.#weightLeft = weight;
  }

  addBytes(bytes: number): void {
    this.bytes += bytes;
    this.#bytesHere += bytes;
    if (performance.now() - this.#toldAt >= INTERVAL_MS) this.#tell();
  }

  done(rows: number, weight: number): void {
    this.chunksDone += 1;
    this.rows += rows;
    this.#weightHere += weight;
    this.#weightLeft -= weight;
    if (performance.now() - this.#toldAt >= INTERVAL_MS || this.chunksDone === this.chunks) this.#tell();
  }

  /** Done by an earlier run. */
  skip(rows: number, bytes: number, weight: number): void {
    this.chunksDone += 1;
    this.rows += rows;
    this.bytes += bytes;
    this.#weightLeft -= weight;
  }

  /** A chunk failed and is done again. */
  takeBack(bytes: number): void {
    this.bytes -= bytes;
  }

  #tell(): void {
    this.#toldAt = performance.now();
    const seconds = Math.max(0.001, (this.#toldAt - this.#startedAt) / 1000);
    this.#listener?.({
      phase: this.#phase,
      chunksDone: this.chunksDone,
      chunks: this.chunks,
      rows: this.rows,
      bytes: this.bytes,
      bytesPerSecond: Math.round(this.#bytesHere / seconds),
      secondsLeft:
        this.#weightHere > 0 ? Math.round((seconds * Math.max(0, this.#weightLeft)) / this.#weightHere) : undefined,
    });
  }
}
