import type { MysqlResult } from "@mirrorpool/mysql2";
import { RowsRefused } from "../faults.ts";
import type { Column, Table } from "../model.ts";
import { PATIENT, type Querier } from "../querier.ts";
import type { ByteSink } from "../stream.ts";
import { ask } from "./ask.ts";
import { splitLines, valuesOf } from "./copy-lines.ts";
import type { Header } from "./header.ts";
import { quoteName, quoteTable } from "./quote.ts";
import { literalOf } from "./text-of.ts";

/** Characters of one statement: below the smallest `max_allowed_packet` that servers have by default. */
const STATEMENT_CHARACTERS = 1_000_000;

/** Statements of many rows as a sink of COPY's text: for servers that do not allow LOAD DATA LOCAL. */
export function insertSink(on: Querier, table: Table, names: readonly string[]): ByteSink {
  return new InsertSink(on, table, names);
}

class InsertSink implements ByteSink {
  readonly ready: Promise<void> = Promise.resolve();
  readonly failed: Promise<never>;
  readonly #on: Querier;
  readonly #columns: readonly Column[];
  readonly #prefix: string;
  #onFailed: (error: unknown) => void = () => {};
  #drained: () => void = () => {};
  #rest: Uint8Array = new Uint8Array();
  #rows: string[] = [];
  #characters = 0;
  #count = 0;
  #running: Promise<void> = Promise.resolve();
  #isRunning = false;
  readonly #stop = new AbortController();

  constructor(on: Querier, table: Table, names: readonly string[]) {
    this.#on = on;
    this.#columns = names.map((name) => table.columns.find((column) => column.name === name) as Column); // paired before
    this.#prefix = `INSERT INTO ${quoteTable(table)} (${names.map(quoteName).join(", ")}) VALUES `;
    this.failed = new Promise((_, reject) => {
      this.#onFailed = reject;
    });
    this.failed.catch(() => {}); // not everybody waits for it
  }

  write(bytes: Uint8Array): boolean {
    const { lines, rest } = splitLines(this.#rest, bytes);
    this.#rest = rest;
    for (const line of lines) {
      const values = valuesOf(line).map((text, index) =>
        text === null ? "NULL" : literalOf(this.#columns[index] as Column, text),
      );
      const row = `(${values.join(",")})`;
      this.#rows.push(row);
      this.#characters += row.length;
      if (this.#characters >= STATEMENT_CHARACTERS) this.#send();
    }
    return !this.#isRunning;
  }

  /** One statement after the other. */
  #send(): void {
    const text = this.#prefix + this.#rows.join(",");
    const count = this.#rows.length;
    this.#rows = [];
    this.#characters = 0;
    this.#isRunning = true;
    const running = this.#running.then(() => this.#insert(text, count));
    this.#running = running;
    running.then(
      () => {
        if (this.#running !== running) return;
        this.#isRunning = false;
        this.#drained();
      },
      (error: unknown) => this.#onFailed(error),
    );
  }

  async #insert(text: string, count: number): Promise<void> {
    const { signal } = this.#stop;
    signal.throwIfAborted();
    const { answer } = (await this.#on.query({ text, values: [] }, undefined, { ...PATIENT, signal })) as MysqlResult; // its driver's
    const [header] = answer as readonly [Header, unknown];
    // a note is all there is to tell of digits that are lost
    if (header.warningStatus > 0) {
      const [first] = await ask<{ Code: string }>(this.#on, "SHOW WARNINGS LIMIT 1");
      throw new RowsRefused(Number(first?.Code));
    }
    this.#count += count;
  }

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  async end(): Promise<number> {
    if (this.#rows.length > 0) this.#send();
    await this.#running;
    return this.#count;
  }

  abort(): void {
    this.#stop.abort(new Error("the rows were given up"));
    this.#rows = [];
  }
}
