import type { ReservedConnection } from "@mirrorpool/core";
import { ChangesLost } from "../../faults.ts";
import type { Message } from "../../postgres/pgoutput.ts";
import { ReplicationStream } from "../../postgres/stream.ts";
import type { ChangeStream, SourceChange } from "../change-source.ts";
import { Inbox } from "../inbox.ts";
import { Reach } from "../reach.ts";
import { formatPosition, type Position, parsePosition } from "./position.ts";
import type { Relations } from "./relations.ts";

export interface ChangesSetting {
  /** Of slot and publication. */
  readonly name: string;
  readonly from: Position;
  readonly statusMs: number;
  readonly maxBytes: number;
  readonly relations: Relations;
  readonly signal: AbortSignal;
  /** The source has got as far as this. */
  readonly onEnd: (lsn: bigint) => void;
}

/** What a slot sends, as changes. */
export class Changes implements ChangeStream {
  readonly #setting: ChangesSetting;
  readonly #inbox: Inbox<Message>;
  readonly #stream: ReplicationStream;
  readonly #reach: Reach;
  readonly #onAbort: () => void;

  constructor(connection: ReservedConnection, setting: ChangesSetting) {
    this.#setting = setting;
    const { name, from, statusMs, maxBytes, signal, onEnd } = setting;
    this.#reach = new Reach(formatPosition(from));
    this.#inbox = new Inbox(
      maxBytes,
      () => this.#stream.pause(),
      () => this.#stream.resume(),
    );
    this.#stream = new ReplicationStream(
      connection,
      { slot: name, publication: name, from: from.lsn, statusMs },
      {
        onMessage: (message, bytes) => {
          if (message.type === "begin") onEnd(message.commitLsn);
          if (message.type === "commit") onEnd(message.endLsn);
          this.#reach.noteReceived();
          this.#inbox.put(message, bytes);
        },
        onKeepalive: (end) => {
          onEnd(end);
          // it may be of before the position: what was there already is not sent
          if (end > parsePosition(this.#reach.through).lsn)
            this.#reach.notePassed(formatPosition({ ...from, lsn: end }));
        },
      },
    );
    this.#stream.ended.then(
      () => this.#inbox.end(new ChangesLost("the stream has ended")),
      (error: unknown) => this.#inbox.end(error),
    );
    this.#onAbort = () => this.#inbox.end(signal.reason);
    if (signal.aborted) this.#onAbort();
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  get isEmpty(): boolean {
    return this.#inbox.isEmpty;
  }

  get through(): string {
    return this.#reach.through;
  }

  async take(): Promise<SourceChange> {
    for (;;) {
      const message = await this.#inbox.take();
      this.#reach.noteTaken();
      if (message.type === "relation") await this.#setting.relations.take(message.relation, this.#setting.signal);
      const change = this.#toChange(message);
      if (change !== undefined) return change;
    }
  }

  /** Undefined for what is not followed. */
  #toChange(message: Message): SourceChange | undefined {
    const { relations, from } = this.#setting;
    switch (message.type) {
      case "begin":
        return { type: "begin" };
      case "commit": {
        const position = formatPosition({ ...from, lsn: message.endLsn });
        return { type: "commit", position, committedAt: message.committedAt };
      }
      case "truncate": {
        const tables = message.relations.flatMap((id) => relations.find(id)?.table ?? []);
        return tables.length === 0 ? undefined : { ...message, tables };
      }
      case "insert":
      case "update":
      case "delete": {
        const relation = relations.find(message.relation);
        if (relation === undefined) return undefined;
        const { table, toRow } = relation;
        if (message.type === "delete") return { type: "delete", table, old: toRow(message.old) };
        const row = toRow(message.row);
        if (message.type === "insert") return { type: "insert", table, row };
        return { type: "update", table, old: message.old && toRow(message.old), row };
      }
      case "relation":
      case "other":
        return undefined;
      default:
        return message satisfies never;
    }
  }

  noteWritten(position: string): void {
    this.#reach.noteWritten(position);
    this.noteKept(position);
  }

  noteKept(position: string): void {
    this.#stream.acknowledge(parsePosition(position).lsn);
  }

  ask(): void {
    this.#stream.askKeepalive();
  }

  close(): void {
    this.#setting.signal.removeEventListener("abort", this.#onAbort);
    this.#stream.close();
  }
}
