import { type QueryObject, submit } from "@mirrorpool/pg";
import { PATIENT, type Querier } from "../querier.ts";
import type { ByteSink } from "../stream.ts";
import type { CopySocket, CopyWire } from "./wire.ts";

/**
 * COPY … FROM STDIN as a sink of bytes: messages with their headers, as {@link copyOut} gives them.
 * @param isBare takes what messages hold, and makes the messages
 */
export function copyIn(on: Querier, text: string, isBare: boolean = false): ByteSink {
  const query = new CopyInQuery(text, isBare);
  void submit(on, query, PATIENT);
  return query;
}

class CopyInQuery implements QueryObject, ByteSink {
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

  write(bytes: Uint8Array): boolean {
    if (this.#isBare && bytes.length > 0) this.#socket?.write(copyDataHeader(bytes.length));
    return this.#socket?.write(bytes) ?? true; // what is lost needs no waiting: `failed` tells
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
