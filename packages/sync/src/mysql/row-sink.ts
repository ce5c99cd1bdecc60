import type { Table } from "../model.ts";
import type { Querier } from "../querier.ts";
import type { ByteSink } from "../stream.ts";
import { ask } from "./ask.ts";
import { insertSink } from "./insert-sink.ts";
import { loadSink } from "./load-sink.ts";

/** By LOAD DATA LOCAL where the server allows it, else by INSERT. */
export function rowSink(on: Querier, table: Table, columns: readonly string[]): ByteSink {
  return new EitherSink(async () => {
    const [row] = await ask<{ allowed: string }>(on, "SELECT @@local_infile AS allowed");
    return row?.allowed === "1" ? loadSink(on, table, columns) : insertSink(on, table, columns);
  });
}

/** A sink that is known once the server has been asked. */
class EitherSink implements ByteSink {
  readonly ready: Promise<void>;
  readonly failed: Promise<never>;
  readonly #opening: Promise<ByteSink>;
  #sink: ByteSink | undefined;
  #isAborted = false;
  #drained: () => void = () => {};

  constructor(open: () => Promise<ByteSink>) {
    this.#opening = open().then((sink) => {
      this.#sink = sink;
      sink.onDrain(() => this.#drained());
      if (this.#isAborted) sink.abort();
      return sink;
    });
    this.ready = this.#opening.then((sink) => sink.ready);
    this.failed = this.#opening.then((sink) => sink.failed);
    this.ready.catch(() => {}); // `failed` tells
    this.failed.catch(() => {}); // not everybody waits for it
  }

  write(bytes: Uint8Array): boolean {
    return this.#sink?.write(bytes) ?? true; // nothing is written before it is ready
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  async end(): Promise<number> {
    return (await this.#opening).end();
  }

  abort(): void {
    this.#isAborted = true;
    this.#sink?.abort();
  }
}
