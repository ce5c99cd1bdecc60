import type { EventEmitter } from "node:events";
import type { Channel } from "@mirrorpool/core";

/** Who takes the rows of a statement as they come. */
export interface RowListener {
  /** The columns of the next result; undefined where it has no rows. */
  onFields(fields: unknown): void;
  /** A row, or what a statement without rows has done. */
  onResult(result: unknown, index: number | undefined): void;
}

/** What of a connection stops and goes on while its rows are read. */
interface Flow {
  pause(): void;
  resume(): void;
}

type Callback = (error: unknown, answer?: unknown, fields?: unknown) => void;

/**
 * The rows of one statement, given on as they come and not collected. The end and errors are the core's to tell: until the server
 * has begun to answer the statement may be sent again, to another connection.
 */
export class RowChannel implements Channel {
  readonly opened: Promise<void>;
  #open: () => void = () => {};
  #isOpen = false;
  readonly #listener: RowListener;
  #flow: Flow | undefined;

  constructor(listener: RowListener) {
    this.#listener = listener;
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** From now on the statement cannot be sent again. */
  open(): void {
    this.#isOpen = true;
    this.#open();
  }

  /** Stops the rows, as long as there are some to come. */
  pause(): void {
    this.#flow?.pause();
  }

  resume(): void {
    this.#flow?.resume();
  }

  /**
   * Listens to a command of `mysql2` that has no callback.
   * @param callback called once, as that of a query is: with an error, or with the last result
   */
  attempt(flow: Flow, command: EventEmitter, callback: Callback): void {
    this.#flow = flow;
    let last: readonly [answer: unknown, fields: unknown] = [[], undefined];
    const isCurrent = (): boolean => this.#flow === flow;
    command.on("fields", (fields: unknown) => {
      if (!isCurrent()) return;
      this.open();
      last = [[], fields];
      this.#listener.onFields(fields);
    });
    command.on("result", (result: unknown, index: number | undefined) => {
      if (!isCurrent()) return;
      this.open();
      if (last[1] === undefined) last = [result, undefined];
      this.#listener.onResult(result, index);
    });
    const end: Callback = (...given) => {
      if (isCurrent()) this.#flow = undefined;
      callback(...given);
    };
    command.on("error", (error: unknown) => end(error));
    command.on("end", () => end(null, ...last));
  }
}
