import type { ReservedConnection } from "@mirrorpool/core";
import { type QueryObject, submit } from "@mirrorpool/pg";
import { PATIENT } from "../querier.ts";
import { type Lsn, type Message, parseMessage } from "./pgoutput.ts";
import { startReplication } from "./slot.ts";

interface ReplicationWire {
  query(text: string): void;
  sendCopyFromChunk(bytes: Buffer): void;
  readonly stream: { pause(): void; resume(): void };
}

export interface StreamListener {
  onMessage(message: Message, bytes: number): void;
  /** The source has sent everything up to here that is to be sent. */
  onKeepalive(end: Lsn): void;
}

const XLOG_DATA = 0x77;
const KEEPALIVE = 0x6b;
const STATUS_BYTES = 34;
const POSTGRES_EPOCH_US = 946_684_800_000_000n;

/**
 * The changes of a slot, as they come. Acknowledged is only what was said to be: the source may throw that away. It is told at a
 * steady pace that we live, also while nothing is read from it.
 */
export class ReplicationStream implements QueryObject {
  readonly text: string;
  /** Resolves or rejects when the stream has ended. */
  readonly ended: Promise<void>;
  #resolve: () => void = () => {};
  #reject: (error: unknown) => void = () => {};
  readonly #connection: ReservedConnection;
  readonly #listener: StreamListener;
  #wire: ReplicationWire | undefined;
  #acknowledged: Lsn;
  #timer: NodeJS.Timeout | undefined;
  #isPaused = false;

  constructor(
    connection: ReservedConnection,
    options: { readonly slot: string; readonly publication: string; readonly from: Lsn; readonly statusMs: number },
    listener: StreamListener,
  ) {
    this.#connection = connection;
    this.#listener = listener;
    this.#acknowledged = options.from;
    this.text = startReplication(options.slot, options.publication, options.from);
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.ended.catch(() => {}); // whoever ends it does not wait for it
    this.#timer = setInterval(() => this.#sendStatus(false), options.statusMs);
    void submit(connection, this, PATIENT).finally(() => this.#finish());
  }

  submit(connection: unknown): void {
    this.#wire = connection as ReplicationWire; // `pg` gives its connection to every query object
    this.#wire.query(this.text);
  }

  handleCopyData(message: unknown): void {
    const { chunk } = message as { readonly chunk: Buffer };
    if (chunk[0] === XLOG_DATA) {
      this.#listener.onMessage(parseMessage(chunk.subarray(25)), chunk.length);
    } else if (chunk[0] === KEEPALIVE) {
      this.#listener.onKeepalive(chunk.readBigUInt64BE(1));
      if (chunk[17] === 1) this.#sendStatus(false);
    }
  }

  /** Everything up to here is safe on the target. */
  acknowledge(lsn: Lsn): void {
    if (lsn <= this.#acknowledged) return;
    this.#acknowledged = lsn;
    this.#sendStatus(false);
  }

  /** Asks the source how far it is. */
  askKeepalive(): void {
    this.#sendStatus(true);
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#wire?.stream.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#wire?.stream.resume();
  }

  #sendStatus(asksReply: boolean): void {
    if (this.#wire === undefined || !this.#connection.isOpen) return;
    const status = Buffer.alloc(STATUS_BYTES);
    status[0] = 0x72;
    // received, written and replayed: the same to us
    for (const at of [1, 9, 17]) status.writeBigUInt64BE(this.#acknowledged, at);
    status.writeBigInt64BE(BigInt(Date.now()) * 1000n - POSTGRES_EPOCH_US, 25);
    status[33] = asksReply ? 1 : 0;
    this.#wire.sendCopyFromChunk(status);
  }

  close(): void {
    this.#finish();
    this.#connection.release();
  }

  #finish(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#resolve();
  }

  handleReadyForQuery(): void {}

  handleError(error: unknown): void {
    this.#reject(error);
  }
}
