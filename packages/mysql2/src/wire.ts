import { outbox } from "@mirrorpool/core";
import type { Client, Packet } from "./client.ts";

/** Sends one command, whose answer is a single packet. */
export type Send = () => void;

/** A statement, or a command around it whose answer is a single packet. */
interface Step {
  readonly send: Send;
  readonly isStatement: boolean;
}

/** One statement and the commands around it. */
interface Flush {
  readonly unsent: Step[];
  /** Sent, the one whose answer comes next at the head. */
  readonly sent: Step[];
  readonly onEnd: (refusal: unknown) => void;
  /** The first error of a command around the statement. */
  refusal: unknown;
}

/** In the server's status (MySQL manual, `SERVER_STATUS_flags_enum`). */
const IN_TRANSACTION = 0x0001;
const AUTOCOMMIT = 0x0002;

/**
 * Lets `mysql2`'s client send small commands in one flush with a statement: it would wait for each answer by itself. Servers
 * take commands one after the other from the socket, and answer in that order. Also knows what the server last said of the
 * transaction.
 */
export class Wire {
  readonly #client: Client;
  readonly #inOneFlush: boolean;
  #flush: Flush | undefined;
  #status = AUTOCOMMIT;

  constructor(client: Client, inOneFlush: boolean) {
    this.#client = client;
    this.#inOneFlush = inOneFlush;
    const handle = client.handlePacket.bind(client);
    client.handlePacket = (packet) => this.#take(packet, handle);
  }

  get isInTransaction(): boolean {
    return (this.#status & IN_TRANSACTION) !== 0;
  }

  /** The application has switched autocommit off: a transaction may begin with any statement. */
  get isAutocommit(): boolean {
    return (this.#status & AUTOCOMMIT) !== 0;
  }

  /** What an OK packet told, which the client has read. */
  note(serverStatus: number | undefined): void {
    if (serverStatus !== undefined) this.#status = serverStatus;
  }

  /**
   * @param main hands the statement to the client
   * @param onEnd called once all are answered, with the first error of a command around the statement; the statement's own
   * answer is the client's to give
   */
  send(before: readonly Send[], statement: Send, behind: readonly Send[], onEnd: (refusal: unknown) => void): void {
    const around = (send: Send): Step => ({ send, isStatement: false });
    const unsent = [...before.map(around), { send: statement, isStatement: true }, ...behind.map(around)];
    const flush: Flush = { unsent, sent: [], onEnd, refusal: undefined };
    this.#flush = flush;
    const { stream } = this.#client;
    outbox.hold(stream);
    if (this.#inOneFlush && unsent.length > 1) {
      stream.cork();
      while (unsent.length > 0) this.#sendNext(flush);
      stream.uncork();
    }
    this.#goOn(flush);
  }

  /** One more command behind those that are under way: asks where the transaction stands, which no error tells. */
  ask(): void {
    const step: Step = { send: () => this.#client.write(PING), isStatement: false };
    this.#flush?.sent.push(step);
    step.send();
  }

  #sendNext(flush: Flush): void {
    const step = flush.unsent.shift() as Step; // asked for where there is one
    step.send();
    // a statement that the client refuses to send has no answer to come
    if (!step.isStatement || this.#client._command) flush.sent.push(step);
  }

  #take(packet: Packet | undefined, handle: (packet?: Packet) => void): void {
    const flush = this.#flush;
    const step = flush?.sent[0];
    if (packet === undefined || flush === undefined || step === undefined) {
      if (packet?.isEOF() === true) this.#status = packet.buffer.readUInt16LE(packet.offset + 3);
      handle(packet);
      return;
    }
    if (step.isStatement) {
      if (packet.isEOF()) this.#status = packet.buffer.readUInt16LE(packet.offset + 3);
      handle(packet);
      if (this.#client._command) return;
    } else if (packet.isError()) flush.refusal ??= packet.asError(this.#client.clientEncoding);
    // an OK packet of a command that touches no row: a marker, two zeros, the status; that of an EOF lies at the same place
    else this.#status = packet.buffer.readUInt16LE(packet.offset + 3);
    flush.sent.shift();
    this.#goOn(flush);
  }

  #goOn(flush: Flush): void {
    while (flush.sent.length === 0 && flush.unsent.length > 0 && flush.refusal === undefined) this.#sendNext(flush);
    if (flush.sent.length > 0) return;
    this.#flush = undefined;
    flush.onEnd(flush.refusal);
  }
}

/** COM_PING: header, sequence 0, command. */
const PING = Buffer.from([1, 0, 0, 0, 0x0e]);

/** COM_SET_OPTION for texts with several statements, which are on for those of the driver itself alone. */
export const MULTI_ON: Buffer = Buffer.from([3, 0, 0, 0, 0x1b, 0, 0]);
export const MULTI_OFF: Buffer = Buffer.from([3, 0, 0, 0, 0x1b, 1, 0]);

/** COM_RESET_CONNECTION. */
export const RESET: Buffer = Buffer.from([1, 0, 0, 0, 0x1f]);
