import { RowChannel } from "@mirrorpool/mysql2";
import type { Key, Range, Table } from "../model.ts";
import { PATIENT, type Querier } from "../querier.ts";
import type { ByteSource, ByteTaker } from "../stream.ts";
import type { Field } from "./ask.ts";
import { tooLong, writeHugeRow } from "./huge-row.ts";
import { within } from "./keys.ts";
import { longLine } from "./long-line.ts";
import { quoteTable } from "./quote.ts";
import { lineOf, longRows, textOf } from "./text-of.ts";

/** So much is handed over at once. */
const PIECE_BYTES = 65_536;
const NEWLINE = 0x0a;
const END = Buffer.of(NEWLINE);

const asBytes = (field: Field): Buffer | null => field.buffer();

/** The rows of a range as lines of COPY's text format: the server makes the lines, so that no value becomes an object here. */
export function rowSource(on: Querier, table: Table, range: Range): ByteSource {
  const long = longRows(table.columns);
  const line = lineOf(table.columns);
  const columns = [long === undefined ? line : `IF(${long.condition}, NULL, ${line})`];
  const { key = [] } = table;
  if (long !== undefined) {
    // without a key no row is found again: it comes whole
    const isWhole = key.length === 0 ? long.condition : `${long.condition} AND NOT (${long.isHuge})`;
    for (const each of [long.nulls, ...long.fields.map(({ text }) => text)])
      columns.push(`IF(${isWhole}, ${each}, NULL)`);
    for (const each of key) columns.push(`IF(${long.isHuge}, ${textOf(each)}, NULL)`);
  }
  const whats = long?.fields.map(({ what }) => what) ?? [];
  const text = `SELECT ${columns.join(", ")} FROM ${quoteTable(table)} WHERE ${within(table, range)}`;
  return {
    pour: async (sink, onBytes, signal) => {
      signal.throwIfAborted();
      const lines = new Lines(sink, onBytes);
      const longLines = new LongLines(lines);
      const huge: Key[] = [];
      const channel: RowChannel = new RowChannel({
        onFields: () => {},
        onResult: (row) => {
          const [line, nulls, ...others] = row as readonly (Buffer | null)[]; // so it is asked for
          const fields = others.slice(0, whats.length);
          const isWhole = (): boolean =>
            fields.filter((field) => field === null).length === Number(nulls ?? Number.NaN);
          if (line) {
            if (!lines.add(line)) channel.pause();
          } else if (key.length > 0 && others[whats.length] !== null)
            huge.push(others.slice(whats.length).map((each) => String(each)));
          else if (!isWhole()) lines.isTooLong = true;
          else if (!longLines.begin(longLine(fields, whats))) channel.pause();
        },
      });
      sink.onDrain(() => {
        if (longLines.goOn()) channel.resume();
      });
      const onAbort = (): void => {
        longLines.giveUp(signal.reason);
        channel.resume(); // what is still to come has to come before the connection is at rest
      };
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        const options = { rowsAsArray: true, nestTables: false, typeCast: asBytes };
        await on.query({ text, values: [], channel, ...options }, undefined, { ...PATIENT, signal });
        await longLines.ended();
        if (lines.isTooLong) throw tooLong(table);
        for (const each of huge) {
          await writeHugeRow(on, table, each, (part) => longLines.write(part), signal);
          await longLines.write(END);
          lines.count += 1;
        }
      } finally {
        signal.removeEventListener("abort", onAbort);
        sink.onDrain(() => {});
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

  /** A part of a line, or its end. False: no more for now. */
  append(part: Buffer): boolean {
    let isWelcome = true;
    if (this.#filled + part.length > this.#piece.length) {
      isWelcome = this.flush();
      if (part.length > this.#piece.length) this.#piece = Buffer.allocUnsafe(part.length);
    }
    part.copy(this.#piece, this.#filled);
    this.#filled += part.length;
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

/** Lines that are written at the sink's pace: while one is, no other row comes. */
class LongLines {
  readonly #lines: Lines;
  #pieces: Iterator<Buffer> | undefined;
  #onEnded: () => void = () => {};
  #onDrained: () => void = () => {};
  #failed: { readonly reason: unknown } | undefined;

  constructor(lines: Lines) {
    this.#lines = lines;
  }

  /** False: no other row for now. */
  begin(pieces: Iterable<Buffer>): boolean {
    this.#lines.count += 1;
    this.#pieces = pieces[Symbol.iterator]();
    return this.goOn();
  }

  goOn(): boolean {
    this.#onDrained();
    while (this.#pieces !== undefined) {
      const { done, value } = this.#pieces.next();
      if (done === true) this.#pieces = undefined;
      if (!this.#lines.append(done === true ? END : value)) break;
    }
    if (this.#pieces === undefined) this.#onEnded();
    return this.#pieces === undefined;
  }

  /** A part of a line that comes by itself. Resolves when the next one is welcome. */
  async write(part: Buffer): Promise<void> {
    this.#throwIfFailed();
    if (this.#lines.append(part)) return;
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
    this.#throwIfFailed();
  }

  giveUp(reason: unknown): void {
    this.#failed = { reason };
    this.#pieces = undefined;
    this.#onEnded();
    this.#onDrained();
  }

  async ended(): Promise<void> {
    if (this.#pieces !== undefined)
      await new Promise<void>((resolve) => {
        this.#onEnded = resolve;
      });
    this.#throwIfFailed();
  }

  #throwIfFailed(): void {
    if (this.#failed !== undefined) throw this.#failed.reason;
  }
}
