import { RowChannel } from "@mirrorpool/mysql2";
import { JobError } from "../errors.ts";
import { nameOf, type Range, type Table } from "../model.ts";
import { PATIENT, type Querier } from "../querier.ts";
import type { ByteSource, ByteTaker } from "../stream.ts";
import type { Field } from "./ask.ts";
import { within } from "./keys.ts";
import { quoteTable } from "./quote.ts";
import { lineOf } from "./text-of.ts";

/** So much is handed over at once. */
const PIECE_BYTES = 65_536;
const NEWLINE = 0x0a;

const asBytes = (field: Field): Buffer | null => field.buffer();

/** The rows of a range as lines of COPY's text format: the server makes the lines, so that no value becomes an object here. */
export function rowSource(on: Querier, table: Table, range: Range): ByteSource {
  const text = `SELECT ${lineOf(table.columns)} FROM ${quoteTable(table)} WHERE ${within(table, range)}`;
  return {
    pour: async (sink, onBytes, signal) => {
      signal.throwIfAborted();
      const lines = new Lines(sink, onBytes);
      const channel: RowChannel = new RowChannel({
        onFields: () => {},
        onResult: (row) => {
          const [line] = row as readonly [Buffer | null]; // so it is asked for
          if (line === null) lines.isTooLong = true;
          else if (!lines.add(line)) channel.pause();
        },
      });
      sink.onDrain(() => channel.resume());
      const onAbort = (): void => channel.resume(); // what is still to come has to come before the connection is at rest
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        const options = { rowsAsArray: true, nestTables: false, typeCast: asBytes };
        await on.query({ text, values: [], channel, ...options }, undefined, { ...PATIENT, signal });
      } finally {
        signal.removeEventListener("abort", onAbort);
        sink.onDrain(() => {});
      }
      if (lines.isTooLong) {
        const message = `${nameOf(table)} has a row that is longer than max_allowed_packet of the source: raise that there`;
        throw new JobError("CHUNK_FAILED", message, { resumable: true });
      }
      lines.flush();
      return lines.count;
    },
  };
}

/** Puts lines together to pieces. */
class Lines {
  count = 0;
  isTooLong = false;
  readonly #sink: ByteTaker;
  readonly #onBytes: (bytes: number) => void;
  #piece = Buffer.allocUnsafe(PIECE_BYTES);
  #filled = 0;

  constructor(sink: ByteTaker, onBytes: (bytes: number) => void) {
    this.#sink = sink;
    this.#onBytes = onBytes;
  }

  /** False: no more for now. */
  add(line: Buffer): boolean {
    this.count += 1;
    let isWelcome = true;
    const size = line.length + 1;
    if (this.#filled + size > this.#piece.length) {
      isWelcome = this.flush();
      if (size > this.#piece.length) this.#piece = Buffer.allocUnsafe(size);
    }
    line.copy(this.#piece, this.#filled);
    this.#filled += size;
    this.#piece[this.#filled - 1] = NEWLINE;
    return isWelcome;
  }

  flush(): boolean {
    if (this.#filled === 0) return true;
    const piece = this.#piece.subarray(0, this.#filled);
    // the sink may keep it
    this.#piece = Buffer.allocUnsafe(PIECE_BYTES);
    this.#filled = 0;
    this.#onBytes(piece.length);
    return this.#sink.write(piece);
  }
}
