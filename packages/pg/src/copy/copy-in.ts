import type { PoolSession } from "@mirrorpool/core";
import type { QueryObject } from "../submission.ts";
import { submit } from "../submit.ts";
import type { CopySocket, CopyWire } from "./copy-wire.ts";

/** Where the rows of one COPY … FROM STDIN go. */
export interface CopySink {
  /** Resolves when bytes are welcome for the first time. */
  readonly ready: Promise<void>;
  /**
   * @param onSent is called when the bytes are needed no more; not where the connection is lost
   * @returns false: wait for `onDrain` before the next ones
   */
  write(bytes: Uint8Array, onSent?: () => void): boolean;
  onDrain(listener: () => void): void;
  /** All is there. Resolves with the rows that were written. */
  end(): Promise<number>;
  /** Cuts it off: nothing of it takes effect, and its connection is lost. */
  abort(): void;
  /** Rejects when the server refuses the rows, or is lost. */
  readonly failed: Promise<never>;
}

/**
 * COPY … FROM STDIN as a sink of bytes: CopyData messages with their headers, as {@link copyOut} gives them.
 * @param isBare takes what messages hold, and makes the messages
 */
export function copyIn(on: Pick<PoolSession, "query">, text: string, isBare: boolean = false): CopySink {
  const query = new CopyInQuery(text, isBare);
  void submit(on, query, { timeoutMs: Number.POSITIVE_INFINITY });
  return query;
}

class CopyInQuery implements QueryObject, CopySink {
  readonly text: string;
  readonly ready: Promise<void>;
  readonly failed: Promise<never>;
  readonly #ended: Promise<number>;
  #onReady: () => void = () => {};
  #onFailed: (error: unknown) => void = () => {};
  #onEnded: (rows: number) => void = () => {};
  #drained: () => void = () => {};
  #wire: CopyWire | undefined;
  #socket: CopySocket | undefined;
  #rows = 0;
  #isOver = false;
  #isAborted = false;

  readonly #isBare: boolean;

  constructor(text: string, isBare: boolean) {
    this.text = text;
    this.#isBare = isBare;
    this.ready = new Promise((resolve) => {
      this.#onReady = resolve;
    });
    this.#ended = new Promise((resolve) => {
      this.#onEnded = resolve;
    });
    this.failed = new Promise((_, reject) => {
      this.#onFailed = reject;
    });
    this.failed.catch(() => {}); // not everybody waits for it
  }

  submit(connection: unknown): Error | undefined {
    // given up before its turn came: it would wait for rows, and hold its locks, for ever
    if (this.#isAborted) return new Error("the rows were given up before they were asked for");
    this.#wire = connection as CopyWire; // `pg` gives its connection to every query object
    this.#wire.query(this.text);
    return undefined;
  }

  handleCopyInResponse(): void {
    this.#socket = this.#wire?.stream;
    this.#socket?.on("drain", this.#drain);
    this.#onReady();
  }

  readonly #drain = (): void => this.#drained();

  onDrain(listener: () => void): void {
    this.#drained = listener;
  }

  write(bytes: Uint8Array, onSent?: () => void): boolean {
    if (this.#isBare && bytes.length > 0) this.#socket?.write(copyDataHeader(bytes.length));
    const sent = onSent && ((error?: Error | null) => (error ? undefined : onSent()));
    return this.#socket?.write(bytes, sent) ?? true; // what is lost needs no waiting: `failed` tells
  }

  end(): Promise<number> {
    if (this.#socket !== undefined) this.#wire?.endCopyFrom();
    this.#leave();
    return Promise.race([this.#ended, this.failed]);
  }

  /** A message may have been sent in part: there is no way to say so but by closing the connection. */
  abort(): void {
    this.#isAborted = true;
    const wire = this.#isOver ? undefined : this.#wire;
    this.#leave();
    wire?.stream.destroy();
  }

  #leave(): void {
    this.#socket?.removeListener("drain", this.#drain);
    this.#socket = undefined;
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#rows = Number(/\d+$/.exec(text)?.[0] ?? 0);
  }

  handleReadyForQuery(): void {
    this.#isOver = true;
    this.#leave();
    this.#onEnded(this.#rows);
  }

  handleError(error: unknown): void {
    this.#isOver = true;
    this.#leave();
    this.#drained();
    this.#onFailed(error);
  }
}

const COPY_DATA = 0x64;

/** The length counts itself. */
function copyDataHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(5);
  header[0] = COPY_DATA;
  header.writeUInt32BE(length + 4, 1);
  return header;
}
