import { Readable } from "node:stream";
import type { ReservedConnection } from "@mirrorpool/core";
import { type CopyTaker, copyOut } from "@mirrorpool/pg";
import { BATCH_BYTES, Unframer } from "./unframer.ts";

/** The content of one COPY … TO STDOUT, without the server's framing of each row. Its rows are known once it has ended. */
export class CopyContent extends Readable implements CopyTaker {
  readonly #connection: ReservedConnection;
  readonly #text: string;
  readonly #signal: AbortSignal;
  readonly #stop = new AbortController();
  readonly #unframer = new Unframer((batch) => this.push(batch));
  #drained: () => void = () => {};
  #isBegun = false;
  rows = 0;

  constructor(connection: ReservedConnection, text: string, signal: AbortSignal) {
    super({ highWaterMark: 2 * BATCH_BYTES });
    this.#connection = connection;
    this.#text = text;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  override _read(): void {
    if (this.#isBegun) this.#drained();
    else this.#begin();
  }

  #begin(): void {
    this.#isBegun = true;
    const pouring = copyOut(this.#connection, this.#text).pour(this, () => {}, this.#signal);
    pouring.then(
      (rows) => {
        this.rows = rows;
        this.#unframer.flush();
        this.push(null);
      },
      (error: unknown) => this.destroy(error as Error),
    );
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#stop.abort(error); // what is still to come goes nowhere
    done(error);
  }

  write(framed: Uint8Array): boolean {
    return this.#unframer.take(framed);
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }
}
