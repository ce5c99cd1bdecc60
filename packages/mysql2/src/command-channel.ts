import type { Channel, PoolSession, StatementOptions } from "@mirrorpool/core";
import type { Client, Command, Packet } from "./client.ts";
import type { Callback } from "./pipeline.ts";

/** A command of the protocol that is no statement, such as COM_BINLOG_DUMP. */
export interface RawCommand {
  /** What it is called in errors; never sent. */
  readonly text: string;
  /** The command's byte and what follows it. */
  readonly payload: Uint8Array;
  /** One packet of the answer. Its bytes may be kept. */
  onPacket(payload: Buffer): void;
}

const HEADER_BYTES = 4;

/**
 * Runs a command as a statement of a reserved connection, and hands the packets of the answer on as they come, up to an EOF or an
 * error of the server.
 */
export class CommandChannel implements Channel {
  readonly opened: Promise<void>;
  readonly #command: RawCommand;
  #open: () => void = () => {};
  #isOpen = false;
  #flow: Pick<Client, "pause" | "resume"> | undefined;

  constructor(command: RawCommand) {
    this.#command = command;
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves at the end of the answer. */
  async run(session: Pick<PoolSession, "query">, options?: StatementOptions): Promise<void> {
    // `own`: not to be sent in one flush with others
    await session.query({ text: this.#command.text, channel: this, own: {} }, undefined, options);
  }

  /** Stops the packets, as long as there are some to come. */
  pause(): void {
    this.#flow?.pause();
  }

  resume(): void {
    this.#flow?.resume();
  }

  /** @param callback called once, as that of a query is */
  attempt(client: Client, callback: Callback): void {
    this.#flow = client;
    const end = (error: unknown): void => {
      this.#flow = undefined;
      callback(error, []);
    };
    let isSent = false;
    client.addCommand({
      onResult: end,
      execute: (packet?: Packet): boolean => {
        if (!isSent) {
          isSent = true;
          client._resetSequenceId();
          client.write(framed(this.#command.payload));
          client.sequenceId = 1;
          return false;
        }
        if (packet === undefined) return false;
        const isError = packet.isError();
        if (isError || packet.isEOF()) {
          end(isError ? packet.asError(client.clientEncoding) : null);
          return true;
        }
        this.#isOpen = true;
        this.#open();
        this.#command.onPacket(packet.buffer.subarray(packet.offset, packet.end));
        return false;
      },
    } as unknown as Command); // all that the client asks of one
  }
}

/** The packet of a command: it is shorter than the longest packet. */
function framed(payload: Uint8Array): Buffer {
  const packet = Buffer.alloc(HEADER_BYTES + payload.length);
  packet.writeUIntLE(payload.length, 0, 3);
  packet.set(payload, HEADER_BYTES);
  return packet;
}
