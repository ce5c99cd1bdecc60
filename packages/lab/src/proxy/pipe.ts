import type { Socket } from "node:net";
import { allowance, type Direction, dueAt, type Fault, pieceBytes, swallows } from "./fault.ts";

/** What waits in a pipe is bounded: above this it reads no more, and TCP makes the sender wait. */
const BOUND_BYTES = 16 * 1024 * 1024;

/** One direction of the line that all connections of a proxy share. */
export interface Link {
  readonly fault: Fault;
  /** When the line has forwarded what was given to it, under limited bandwidth. In ms of `performance.now()`. */
  busyUntil: number;
  /** Bytes forwarded so far. */
  bytes: number;
  /** Bytes swallowed so far. */
  swallowedBytes: number;
}

/** One direction of one connection. */
export interface Pipe {
  /** Takes the change of fault into account. */
  update(): void;
  /** Drops what waits and stops its timer. */
  close(): void;
}

/** What a pipe needs to know and to do. */
export interface PipeOptions {
  readonly from: Socket;
  readonly to: Socket;
  readonly direction: Direction;
  readonly link: Link;
  /** Something was swallowed: this connection can never be whole again. */
  readonly onSwallow: () => void;
  /** The limit of `cut-after` was reached, and the last byte was handed to the kernel. */
  readonly onCut: () => void;
  /** `from` broke (was reset), and everything that it had sent before has been handed to the kernel. */
  readonly onBroken: () => void;
}

/** Data, or the end of the stream: in good order or broken. */
type Item =
  | { readonly kind: "data"; readonly data: Buffer; readonly due: number }
  | { readonly kind: "end"; readonly due: number }
  | { readonly kind: "broken"; readonly due: number };

/** Forwards `from` to `to` in order, under the fault of `link`. */
export function createPipe(options: PipeOptions): Pipe {
  return new FaultPipe(options);
}

class FaultPipe implements Pipe {
  readonly #options: PipeOptions;
  #queue: Item[] = [];
  #waitingBytes = 0;
  #lastDue = 0;
  #timer: NodeJS.Timeout | undefined;
  #needsDrain = false;
  #allowance = Number.POSITIVE_INFINITY;
  #isClosed = false;

  constructor(options: PipeOptions) {
    this.#options = options;
    const { from, to } = options;
    from.on("data", (data) => this.#take(data));
    from.on("end", () => this.#put({ kind: "end", due: 0 }));
    from.on("close", (isBroken) => {
      if (isBroken) this.#put({ kind: "broken", due: 0 });
    });
    to.on("drain", () => {
      this.#needsDrain = false;
      this.#pump();
    });
    this.update();
  }

  update(): void {
    const { link, direction } = this.#options;
    this.#allowance = allowance(link.fault, direction);
    // what waits under the old fault is due now: a stall delivers, a slow line is suddenly quick
    this.#queue = this.#queue.map((item) => ({ ...item, due: 0 }));
    this.#lastDue = 0;
    if (this.#allowance === 0) this.#cut(Buffer.alloc(0));
    else this.#pump();
  }

  close(): void {
    this.#isClosed = true;
    this.#queue = [];
    clearTimeout(this.#timer);
  }

  #take(data: Buffer): void {
    const { link } = this.#options;
    const size = Math.min(pieceBytes(link.fault), data.length);
    for (let start = 0; start < data.length; start += size) {
      const piece = data.subarray(start, start + size);
      const due = dueAt(link.fault, piece.length, performance.now(), link.busyUntil, Math.random());
      link.busyUntil = due;
      this.#put({ kind: "data", data: piece, due });
    }
  }

  #put(item: Item): void {
    if (this.#isClosed) return;
    // neither jitter nor the end may overtake
    this.#lastDue = Math.max(this.#lastDue, item.due);
    this.#queue.push({ ...item, due: this.#lastDue });
    if (item.kind === "data") this.#waitingBytes += item.data.length;
    this.#pump();
  }

  /** Forwards whatever may go now, and sets the timer for what may go later. */
  #pump(): void {
    clearTimeout(this.#timer);
    const { from, link, direction } = this.#options;
    while (!this.#isClosed && link.fault.kind !== "stall") {
      const item = this.#queue[0];
      if (item === undefined) break;
      if (swallows(link.fault, direction)) {
        this.#swallow(item);
      } else {
        const waitMs = item.due - performance.now();
        if (waitMs > 0) {
          this.#timer = setTimeout(() => this.#pump(), waitMs);
          break;
        }
        if (this.#needsDrain) break;
        this.#forward(item);
      }
      this.#queue.shift();
      if (item.kind === "data") this.#waitingBytes -= item.data.length;
    }
    if (this.#needsDrain || this.#waitingBytes > BOUND_BYTES) from.pause();
    else if (from.isPaused()) from.resume();
  }

  #swallow(item: Item): void {
    if (item.kind === "data") this.#options.link.swallowedBytes += item.data.length;
    this.#options.onSwallow();
  }

  #forward(item: Item): void {
    const { to, link, onBroken } = this.#options;
    if (item.kind === "end") to.end();
    // an empty write ends after all writes before it
    else if (item.kind === "broken") to.write("", () => onBroken());
    else if (item.data.length >= this.#allowance) this.#cut(item.data.subarray(0, this.#allowance));
    else {
      this.#allowance -= item.data.length;
      link.bytes += item.data.length;
      this.#needsDrain = !to.write(item.data);
    }
  }

  #cut(last: Buffer): void {
    const { to, link, onCut } = this.#options;
    link.bytes += last.length;
    this.close();
    // the end follows the last byte, so that no reset can overtake it
    to.end(last, onCut);
  }
}
