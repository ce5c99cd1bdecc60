import { randomInt, randomUUID } from "node:crypto";
import type { ReservedConnection } from "@mirrorpool/core";
import { CommandChannel } from "@mirrorpool/mysql2";
import { ChangesLost } from "../../faults.ts";
import { PATIENT } from "../../querier.ts";
import { ask } from "../ask.ts";
import { Checksum } from "./checksum.ts";
import { readEvent, type TimedEvent } from "./events.ts";
import { MariadbGtids, MysqlGtids } from "./gtids.ts";

/** An idle server says so often that it is there; after so long a silence it is not. */
const HEARTBEAT_NS = 2_000_000_000;
const SILENCE_MS = 20_000;

const DUMP = 0x12;
const DUMP_GTID = 0x1e;
/** The flag of a dump that ends where the log does. */
const NO_WAIT = 1;
/** Above those that servers are given by hand. */
const [FIRST_ID, LAST_ID] = [0x8000_0000, 0xffff_ffff];

/** What MariaDB and MySQL have to know of who reads their log; each looks at its own names alone. */
function settings(isMariadb: boolean, gtids: string): string {
  const names = isMariadb ? ["master"] : ["master", "source"];
  const common = names.flatMap((name) => [
    `@${name}_binlog_checksum = @@global.binlog_checksum`,
    `@${name}_heartbeat_period = ${HEARTBEAT_NS}`,
  ]);
  const own = isMariadb
    ? ["@mariadb_slave_capability = 4", `@slave_connect_state = '${new MariadbGtids(gtids).last}'`]
    : ["slave", "replica"].map((name) => `@${name}_uuid = '${randomUUID()}'`);
  // the log waits for as long as the target takes
  return `SET SESSION net_write_timeout = 3600, ${[...common, ...own].join(", ")}`;
}

/** The command of the protocol; who reads is a server of its own, known to nobody. */
function command(isMariadb: boolean, gtids: string, flags: number): Buffer {
  const id = randomInt(FIRST_ID, LAST_ID);
  if (isMariadb) {
    const payload = Buffer.alloc(11);
    payload[0] = DUMP;
    payload.writeUInt32LE(4, 1);
    payload.writeUInt16LE(flags, 5);
    payload.writeUInt32LE(id, 7);
    return payload;
  }
  const set = new MysqlGtids(gtids).encode();
  const head = Buffer.alloc(23);
  head[0] = DUMP_GTID;
  head.writeUInt16LE(flags, 1);
  head.writeUInt32LE(id, 3);
  head.writeUInt32LE(0, 7);
  head.writeBigUInt64LE(4n, 11);
  head.writeUInt32LE(set.length, 19);
  return Buffer.concat([head, set]);
}

export interface DumpListener {
  /** In the order of the log. May not throw. */
  onEvent(event: TimedEvent, bytes: number): void;
}

/** Reads the binary log from behind a position on, over a connection that does nothing else from now on. */
export class BinlogDump {
  /** Resolves or rejects when it has ended. */
  readonly ended: Promise<void>;
  readonly #connection: ReservedConnection;
  readonly #channel: CommandChannel;
  readonly #silence: NodeJS.Timeout;
  #isPaused = false;
  #failure: { readonly error: unknown } | undefined;

  private constructor(connection: ReservedConnection, payload: Buffer, hasChecksum: boolean, listener: DumpListener) {
    this.#connection = connection;
    const checksum = new Checksum(hasChecksum);
    this.#silence = setTimeout(() => {
      if (!this.#isPaused) this.#fail(new ChangesLost("the source has said nothing for too long"));
    }, SILENCE_MS);
    this.#channel = new CommandChannel({
      text: "BINLOG DUMP",
      payload,
      onPacket: (bytes) => {
        this.#silence.refresh();
        if (this.#failure !== undefined) return;
        try {
          // the first byte says that all is well
          listener.onEvent(readEvent(checksum.without(bytes.subarray(1))), bytes.length);
        } catch (error) {
          this.#fail(error);
        }
      },
    });
    this.ended = this.#channel.run(connection, PATIENT).then(
      () => {
        if (this.#failure !== undefined) throw this.#failure.error;
      },
      (error: unknown) => {
        throw this.#failure === undefined ? error : this.#failure.error;
      },
    );
    this.ended.catch(() => {}); // whoever ends it does not wait for it
    this.ended.then(
      () => clearTimeout(this.#silence),
      () => clearTimeout(this.#silence),
    );
  }

  /** @param gtids what comes is what is not in them */
  static async open(
    connection: ReservedConnection,
    {
      isMariadb,
      gtids,
      isEndless,
    }: { readonly isMariadb: boolean; readonly gtids: string; readonly isEndless: boolean },
    listener: DumpListener,
    signal: AbortSignal,
  ): Promise<BinlogDump> {
    await connection.query(settings(isMariadb, gtids), undefined, { ...PATIENT, signal });
    const text = "SELECT @@global.binlog_checksum AS name";
    const [checksum] = await ask<{ name: string }>(connection, text, [], signal);
    const payload = command(isMariadb, gtids, isEndless ? 0 : NO_WAIT);
    return new BinlogDump(connection, payload, checksum?.name !== "NONE", listener);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#connection.release();
  }

  pause(): void {
    this.#isPaused = true;
    this.#channel.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#silence.refresh();
    this.#channel.resume();
  }

  close(): void {
    clearTimeout(this.#silence);
    this.#connection.release();
  }
}
