import { Readable } from "node:stream";
import { type MysqlResult, RowChannel } from "@mirrorpool/mysql2";
import { RowsRefused } from "../faults.ts";
import type { Column, Table } from "../model.ts";
import { PATIENT, type Querier } from "../querier.ts";
import type { ByteSink } from "../stream.ts";
import { ask } from "./ask.ts";
import type { Header } from "./header.ts";
import { LoadText } from "./load-text.ts";
import { quoteName, quoteTable } from "./quote.ts";
import { parsed } from "./text-of.ts";

/** LOAD DATA LOCAL as a sink of COPY's text. In a transaction: what comes of rows that are cut off takes no effect with it. */
export function loadSink(on: Querier, table: Table, columns: readonly string[]): ByteSink {
  return new LoadSink(on, textOf(table, columns));
}

function textOf(table: Table, names: readonly string[]): string {
  const columns = names.map((name) => table.columns.find((column) => column.name === name) as Column); // paired before
  const given = columns.map((column, index) => {
    const variable = `@mirrorpool_${index}`;
    // where another column is set, a 0 that is not would be counted up in spite of the SQL mode
    return { column, variable, value: parsed(column, variable) ?? (column.isCounted ? variable : undefined) };
  });
  const places = given.map(({ column, variable, value }) => (value === undefined ? quoteName(column.name) : variable));
  const sets = given.flatMap(({ column, value }) =>
    value === undefined ? [] : [`${quoteName(column.name)} = ${value}`],
  );
  return `LOAD DATA LOCAL INFILE 'mirrorpool' INTO TABLE ${quoteTable(table)} CHARACTER SET utf8mb4
    FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\' LINES TERMINATED BY '\\n' (${places.join(", ")})${sets.length > 0 ? ` SET ${sets.join(", ")}` : ""}`;
}

class LoadSink implements ByteSink {
  readonly ready: Promise<void>;
  readonly failed: Promise<never>;
  readonly #on: Querier;
  readonly #stream: Readable;
  readonly #text = new LoadText();
  readonly #done: Promise<MysqlResult>;
  readonly #stop = new AbortController();
  #drained: () => void = () => {};

  constructor(on: Querier, text: string) {
    this.#on = on;
    const stream = new Readable({ highWaterMark: 1_048_576, read: () => this.#drained() });
    this.#stream = stream;
    stream.on("error", () => {}); // who cut it off knows
    const channel = new RowChannel({ onFields: () => {}, onResult: () => {} });
    this.ready = channel.opened;
    const statement = { text, values: [], channel, infileStreamFactory: () => this.#rows() };
    const options = { ...PATIENT, signal: this.#stop.signal };
    this.#done = on.query(statement, undefined, options) as Promise<MysqlResult>; // so its driver answers
    this.failed = this.#done.then(
      () => new Promise<never>(() => {}),
      (error: unknown) => Promise.reject(error),
    );
    this.failed.catch(() => {}); // not everybody waits for it
  }

  /** A stream that was given up says nothing to whoever begins to read it: the server would wait for its end for ever. */
  #rows(): Readable {
    return this.#stop.signal.aborted ? Readable.from([]) : this.#stream;
  }

  write(bytes: Uint8Array): boolean {
    return this.#stream.push(this.#text.take(bytes));
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  /** The server makes warnings of errors here, and goes on: they are errors again. */
  async end(): Promise<number> {
    this.#stream.push(null);
    const [header] = (await this.#done).answer as readonly [Header, unknown];
    if (header.warningStatus > 0) throw await warned(this.#on);
    return header.affectedRows;
  }

  abort(): void {
    const reason = new Error("the rows were given up");
    this.#stop.abort(reason);
    this.#stream.destroy(reason);
  }
}

/** What the server has warned of first: its number and no text, which may hold a value. */
async function warned(on: Querier): Promise<RowsRefused> {
  const [first] = await ask<{ Code: string; Level: string }>(on, "SHOW WARNINGS LIMIT 1");
  return new RowsRefused(Number(first?.Code));
}
