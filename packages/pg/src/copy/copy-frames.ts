/** What a piece of the server's answer to COPY … TO STDOUT holds. */
export interface Found {
  /** Whole and broken CopyData messages, headers included, as they go to the other server; bare, where that was asked for. */
  readonly data: readonly Uint8Array[];
  /** Messages that are none of COPY's, for the library. */
  readonly others: readonly Uint8Array[];
  /** What follows the end of the data, or begins an error: the library goes on here. */
  readonly rest: Uint8Array | undefined;
  readonly isComplete: boolean;
}

const COPY_DATA = 0x64;
const COPY_DONE = 0x63;
const COPY_OUT_RESPONSE = 0x48;
const ERROR = 0x45;
/** ParameterStatus, NoticeResponse, NotificationResponse: may come at any time. */
const UNASKED: ReadonlySet<number> = new Set([0x53, 0x4e, 0x41]);
const HEADER_BYTES = 5;

/**
 * Walks over the messages of COPY without taking them apart: CopyData is the same in both directions, so that what one server
 * sends may be handed to another as it came. Only the headers are looked at, to find the end.
 */
export class CopyFrames {
  #held: Uint8Array | undefined;
  #left = 0;
  #kind: "data" | "other" | "skipped" = "skipped";
  readonly #isBare: boolean;

  /** @param isBare leaves the headers out: what the messages hold is wanted, and not the messages */
  constructor(isBare: boolean = false) {
    this.#isBare = isBare;
  }

  /** A message was begun and not ended: nothing else can be sent after what was passed on. */
  get isBroken(): boolean {
    return this.#left > 0 && this.#kind === "data";
  }

  /** It has kept a part of the last piece. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  walk(piece: Uint8Array): Found {
    const bytes = this.#held === undefined ? piece : Buffer.concat([this.#held, piece]);
    this.#held = undefined;
    const data: Uint8Array[] = [];
    const others: Uint8Array[] = [];
    let begin = 0;
    let at = 0;
    // of many small messages one piece is made
    const bare = this.#isBare ? Buffer.allocUnsafe(bytes.length) : undefined;
    let filled = 0;
    const flush = (): void => {
      if (at > begin) {
        if (this.#kind === "data" && bare !== undefined) {
          bare.set(bytes.subarray(begin, at), filled);
          filled += at - begin;
        } else if (this.#kind === "data") data.push(bytes.subarray(begin, at));
        if (this.#kind === "other") others.push(bytes.subarray(begin, at));
      }
      begin = at;
    };
    const pieces = (): readonly Uint8Array[] => (filled > 0 && bare !== undefined ? [bare.subarray(0, filled)] : data);
    for (;;) {
      const step = Math.min(this.#left, bytes.length - at);
      at += step;
      this.#left -= step;
      if (this.#left > 0 || at === bytes.length) break;
      if (bytes.length - at < HEADER_BYTES) {
        flush();
        this.#held = bytes.subarray(at);
        return { data: pieces(), others, rest: undefined, isComplete: false };
      }
      const code = bytes[at] as number;
      const length = readLength(bytes, at + 1);
      const kind = code === COPY_DATA ? "data" : UNASKED.has(code) ? "other" : "skipped";
      const isHeld = kind === "data" && !this.#isBare;
      if (kind !== this.#kind || !isHeld) flush();
      if (code === COPY_DONE || code === ERROR || (kind === "skipped" && code !== COPY_OUT_RESPONSE)) {
        flush();
        const isComplete = code === COPY_DONE;
        const rest = bytes.subarray(isComplete ? at + length + 1 : at);
        return { data: pieces(), others, rest, isComplete };
      }
      this.#kind = kind;
      if (kind === "data" && this.#isBare) {
        at += HEADER_BYTES;
        begin = at;
        this.#left = length - 4;
      } else this.#left = length + 1;
    }
    flush();
    return { data: pieces(), others, rest: undefined, isComplete: false };
  }
}

/** Once for each row: no view, no object. */
function readLength(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  return high * 65_536 + (((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number));
}
