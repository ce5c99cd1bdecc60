import type { ReservedConnection } from "@mirrorpool/core";
import { JobError } from "../../errors.ts";
import { ChangesLost } from "../../faults.ts";
import { BinlogDump } from "../../mysql/binlog/dump.ts";
import type { ChangeStream, SourceChange } from "../change-source.ts";
import { Inbox } from "../inbox.ts";
import { Reach } from "../reach.ts";
import type { Layout } from "./layout.ts";
import { formatPosition, type Position } from "./position.ts";
import { type LogItem, Transactions } from "./transactions.ts";

export interface ChangesSetting {
  readonly isMariadb: boolean;
  readonly from: Position;
  readonly database: string;
  readonly layouts: ReadonlyMap<string, Layout>;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
  /** A table was made, changed or dropped. @throws where it was a followed one */
  readonly onDefinition: () => Promise<void>;
  /** A followed table looks in the log as it does not now. @throws */
  readonly onOtherShape: (table: string) => Promise<never>;
  /** What has ended the dump, as the follower is to see it. */
  readonly explain: (error: unknown) => unknown;
  readonly onClose: () => void;
}

/** What a binary log has, as changes. */
export class Changes implements ChangeStream {
  readonly #setting: ChangesSetting;
  readonly #inbox: Inbox<LogItem>;
  readonly #dump: BinlogDump;
  readonly #reach: Reach;
  readonly #onAbort: () => void;
  /** Read out of what was taken last. */
  #ready: Iterator<SourceChange> | undefined;
  #next: SourceChange | undefined;

  private constructor(setting: ChangesSetting, inbox: Inbox<LogItem>, reach: Reach, dump: BinlogDump) {
    this.#setting = setting;
    this.#inbox = inbox;
    this.#reach = reach;
    this.#dump = dump;
    const { signal, explain } = setting;
    dump.ended.then(
      () => inbox.end(new ChangesLost("the binary log has ended")),
      (error: unknown) => inbox.end(explain(error)),
    );
    this.#onAbort = () => inbox.end(signal.reason);
    if (signal.aborted) this.#onAbort();
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  static async open(connection: ReservedConnection, setting: ChangesSetting): Promise<Changes> {
    const { isMariadb, from, database, layouts, maxBytes, signal } = setting;
    const reach = new Reach(formatPosition(from));
    let dump: BinlogDump | undefined;
    const inbox = new Inbox<LogItem>(
      maxBytes,
      () => dump?.pause(),
      () => dump?.resume(),
    );
    const transactions = new Transactions(
      from,
      { isMariadb, database, tables: new Set(layouts.keys()) },
      {
        onItem: (item, bytes) => {
          reach.noteReceived();
          inbox.put(item, bytes);
        },
        onPassed: (position) => reach.notePassed(position),
      },
    );
    const onEvent: Transactions["take"] = (event, bytes) => transactions.take(event, bytes);
    dump = await BinlogDump.open(connection, { isMariadb, gtids: from.gtids, isEndless: true }, { onEvent }, signal);
    return new Changes(setting, inbox, reach, dump);
  }

  get isEmpty(): boolean {
    return this.#next === undefined && this.#inbox.isEmpty;
  }

  get through(): string {
    return this.#reach.through;
  }

  async take(): Promise<SourceChange> {
    for (;;) {
      const change = this.#next;
      if (change !== undefined) {
        this.#next = this.#read();
        return change;
      }
      const item = await this.#inbox.take();
      this.#reach.noteTaken();
      const taken = await this.#toChange(item);
      if (taken !== undefined) return taken;
    }
  }

  /** The next change of the rows that were taken. */
  #read(): SourceChange | undefined {
    const { value, done } = this.#ready?.next() ?? { value: undefined, done: true };
    if (done === true) this.#ready = undefined;
    return done === true ? undefined : value;
  }

  /** Undefined for rows, which are ready then. */
  async #toChange(item: LogItem): Promise<SourceChange | undefined> {
    const { layouts, onDefinition, onOtherShape } = this.#setting;
    switch (item.type) {
      case "begin":
      case "commit":
        return item;
      case "truncate": {
        const { followed } = layouts.get(item.table) as Layout; // others are left out
        return { type: "truncate", tables: [followed], isCascade: false, restartsIdentity: false };
      }
      case "rows": {
        const layout = layouts.get(item.map.name) as Layout;
        if (!layout.isOf(item.map)) await onOtherShape(item.map.name);
        this.#ready = layout.changes(item.map, item.event);
        this.#next = this.#read();
        return undefined;
      }
      case "definition":
        await onDefinition();
        this.#reach.noteNothing();
        return { type: "none" };
      case "unreadable": {
        const message = `the source's binary log has ${item.what}: changes would be missed. Mend that there, remove() the job, and begin it anew`;
        throw new JobError("LOG_UNREADABLE", message);
      }
      default:
        return item satisfies never;
    }
  }

  noteWritten(position: string): void {
    this.#reach.noteWritten(position);
  }

  // the server keeps its log for a time, whoever has read it
  noteKept(): void {}

  ask(): void {}

  /** No more is read. */
  end(error: unknown): void {
    this.#inbox.end(error);
  }

  close(): void {
    this.#setting.signal.removeEventListener("abort", this.#onAbort);
    this.#setting.onClose();
    this.#dump.close();
  }
}
