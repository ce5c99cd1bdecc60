import type { PoolSession } from "@mirrorpool/core";
import type { QueryObject } from "../submission.ts";
import { submit } from "../submit.ts";
import { CopyFrames } from "./copy-frames.ts";
import type { CopySocket, CopyWire } from "./copy-wire.ts";

/** Takes what COPY gives, at its own pace. */
export interface CopyTaker {
  /** It is done with the bytes once `write` has returned. */
  readonly isCopying?: boolean;
  /**
   * @param bytes whole and broken CopyData messages; false: wait for `onDrain` before the next ones
   * @param onSent may be called when they are needed no more
   */
  write(bytes: Uint8Array, onSent?: () => void): boolean;
  onDrain(listener: () => void): void;
}

/** The rows of one COPY … TO STDOUT. */
export interface CopySource {
  /** Resolves with the number of rows when all were handed over. */
  pour(taker: CopyTaker, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<number>;
}

/**
 * COPY … TO STDOUT as a source of bytes: the messages as they came, headers included, so that {@link copyIn} can pass them to
 * another server without looking into them.
 * @param isBare what they hold instead, for whoever is no PostgreSQL
 */
export function copyOut(on: Pick<PoolSession, "query">, text: string, isBare: boolean = false): CopySource {
  return {
    pour: async (taker, onBytes, signal) => {
      const query = new CopyOutQuery(text, taker, onBytes, isBare);
      const onAbort = (): void => query.discard();
      signal.addEventListener("abort", onAbort, { once: true });
      try {
        signal.throwIfAborted();
        await submit(on, query, { timeoutMs: Number.POSITIVE_INFINITY, signal });
        return await query.done;
      } finally {
        signal.removeEventListener("abort", onAbort);
      }
    },
  };
}

/** What Node.js reads at a time: where it gets less there is no more at the moment. */
const FULL_BYTES = 65_536;
/** Short answers are not slowed down. */
const NAP_AFTER_BYTES = 1 << 20;
/** In which a server writes some hundred KB; sockets have room for more. */
const NAP_MS = 1;

/**
 * Gives the memory of a piece back. It is outside of the heap, and where it waits for the garbage collector that runs for each few dozen
 * MB of it, which takes a third of the time. Nothing is done where it may be a part of something else, or Node.js is too old.
 */
function letGo(piece: Uint8Array): void {
  const buffer: ArrayBufferLike & { transfer?(length: number): unknown } = piece.buffer;
  if (buffer.byteLength === piece.byteLength) buffer.transfer?.(0);
}

class CopyOutQuery implements QueryObject {
  readonly text: string;
  readonly done: Promise<number>;
  #resolve: (rows: number) => void = () => {};
  #reject: (error: unknown) => void = () => {};
  readonly #taker: CopyTaker;
  readonly #onBytes: (bytes: number) => void;
  readonly #frames: CopyFrames;
  #socket: CopySocket | undefined;
  #library: ((bytes: Uint8Array) => void) | undefined;
  #isWaiting = false;
  #received = 0;
  #napping: NodeJS.Timeout | undefined;
  #isDiscarding = false;
  #isComplete = false;
  #rows = 0;

  constructor(text: string, taker: CopyTaker, onBytes: (bytes: number) => void, isBare: boolean) {
    this.text = text;
    this.#frames = new CopyFrames(isBare);
    this.#taker = taker;
    this.#onBytes = onBytes;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => {}); // whoever gave it up does not wait for it
    taker.onDrain(() => {
      this.#isWaiting = false;
      this.#socket?.resume();
    });
  }

  /** The statement was given up: what is still to come goes nowhere, so that the connection comes to rest. */
  discard(): void {
    this.#isDiscarding = true;
    this.#isWaiting = false;
    this.#wake();
    this.#socket?.resume();
  }

  submit(connection: unknown): void {
    const wire = connection as CopyWire; // `pg` gives its connection to every query object
    const { stream } = wire;
    const [library] = stream.listeners("data");
    if (library === undefined) throw new Error("the connection's socket has no reader");
    this.#library = library;
    this.#socket = stream;
    stream.removeListener("data", library);
    stream.on("data", this.#take);
    wire.query(this.text);
  }

  readonly #take = (piece: Uint8Array): void => {
    const socket = this.#socket;
    if (socket === undefined) return;
    const size = piece.length;
    const { data, others, rest, isComplete } = this.#frames.walk(piece);
    for (const bytes of data) {
      this.#onBytes(bytes.length);
      // all of the piece and nobody else's: else it stays
      const onSent = bytes.length === size ? () => letGo(bytes) : undefined;
      if (!this.#isDiscarding && !this.#taker.write(bytes, onSent)) this.#isWaiting = true;
    }
    for (const bytes of others) this.#library?.(bytes);
    if (rest === undefined) {
      if (this.#taker.isCopying === true && others.length === 0 && !this.#frames.isHolding) letGo(piece);
      this.#received += size;
      if (this.#isWaiting) socket.pause();
      else if (size < FULL_BYTES && this.#received > NAP_AFTER_BYTES) this.#nap(socket);
      return;
    }
    this.#isComplete = isComplete;
    this.#giveBack(socket, rest);
  };

  /**
   * Does not look for a moment. A server sends 8 KB at a time, and to be woken for each costs both sides more than what is done with
   * them; after a nap they come all at once. Not with TLS, whose records are small whatever there is.
   */
  #nap({ _handle: handle, encrypted }: CopySocket): void {
    if (handle?.readStop === undefined || encrypted === true || this.#napping !== undefined) return;
    handle.readStop();
    this.#napping = setTimeout(() => this.#wake(), NAP_MS);
  }

  #wake(): void {
    if (this.#napping === undefined) return;
    clearTimeout(this.#napping);
    this.#napping = undefined;
    const handle = this.#socket?._handle;
    // else the stream has stopped by itself, and begins again by itself
    if (handle?.reading === true) handle.readStart?.();
  }

  #giveBack(socket: CopySocket, rest: Uint8Array): void {
    const library = this.#library;
    if (library === undefined) return;
    this.#wake();
    this.#socket = undefined;
    this.#library = undefined;
    socket.removeListener("data", this.#take);
    socket.addListener("data", library);
    if (rest.length > 0) library(rest);
    // the listener alone does not let a paused socket flow
    process.nextTick(() => socket.resume());
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.#rows = Number(/\d+$/.exec(text)?.[0] ?? 0);
  }

  handleReadyForQuery(): void {
    if (this.#isComplete && !this.#isDiscarding) this.#resolve(this.#rows);
    else this.#reject(new Error("COPY ended before its data did"));
  }

  handleError(error: unknown): void {
    const socket = this.#socket;
    if (socket !== undefined) this.#giveBack(socket, new Uint8Array());
    this.#reject(error);
  }
}
