import type { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import type mysql from "mysql2";

/** A packet of the protocol, as `mysql2` hands it to itself. */
export interface Packet {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly end: number;
  isError(): boolean;
  isEOF(): boolean;
  asError(encoding: string): Error;
}

/** A command of `mysql2`: what it sends, and what it makes of the answer. */
export interface Command extends EventEmitter {
  /** Sends it. @returns what takes the first packet of the answer */
  start: (packet: undefined, client: Client) => unknown;
}

/** What of `mysql2`'s connection is used beyond its published types; the same in every version since 3.11. */
interface ClientInternals {
  readonly config: {
    readonly multipleStatements?: boolean;
    readonly compress?: unknown;
    readonly charset?: string;
    readonly database?: string;
  };
  readonly stream: Socket;
  readonly clientEncoding: string;
  readonly threadId: number | null;
  /** The command whose answer is to come; none where nothing is under way. */
  readonly _command: unknown;
  readonly _fatalError: unknown;
  readonly _closing?: boolean;
  readonly _handshakePacket?: { readonly serverVersion?: string } | null;
  handlePacket: (packet?: Packet) => void;
  readonly _statements?: { clear(): void };
  /** Of the next packet, in either direction. */
  sequenceId: number;
  addCommand: (command: Command) => Command;
  write(buffer: Buffer): void;
  _resetSequenceId(): void;
}

interface ClientClass {
  createQuery(sql: string, values: readonly unknown[], callback: undefined, config: object): Command;
}

export type Client = Omit<mysql.Connection, keyof ClientInternals> & ClientInternals;

/** Sends a query past the client's queue; whoever does so takes its answer. */
export function sendQuery(client: Client, text: string): void {
  const { createQuery } = client.constructor as unknown as ClientClass;
  const command = createQuery(text, [], undefined, client.config);
  client._resetSequenceId();
  command.start(undefined, client);
}
