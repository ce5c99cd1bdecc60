/** What the soak asks its worker, and what the worker answers: plain data over the process's message channel. */
export type Request = "measure" | "rest" | "work" | "close";

/** What the worker's process holds at a moment, after a garbage collection. */
export interface Measurement {
  readonly heapUsedBytes: number;
  /** Of the pool: the channel to the soak itself does not count. */
  readonly sockets: number;
  readonly timers: number;
  /** Operations so far, by outcome: `ok`, or the name of the error. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly uncaught: number;
  readonly longestCallMs: number;
}
