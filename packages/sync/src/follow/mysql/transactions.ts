import type { RowsEvent, TimedEvent } from "../../mysql/binlog/events.ts";
import { createGtids, type Gtids } from "../../mysql/binlog/gtids.ts";
import type { TableMap } from "../../mysql/binlog/table-map.ts";
import { formatPosition, type Place, type Position } from "./position.ts";
import { readStatement } from "./statement.ts";

/** What of the log is for the follower, in its order. */
export type LogItem =
  | { readonly type: "begin" }
  | { readonly type: "commit"; readonly position: string; readonly committedAt: number }
  | { readonly type: "rows"; readonly map: TableMap; readonly event: RowsEvent }
  | { readonly type: "truncate"; readonly table: string }
  /** A table was made, changed or dropped: perhaps a followed one. */
  | { readonly type: "definition" }
  /** The log does not tell what was changed. */
  | { readonly type: "unreadable"; readonly what: string };

export interface LogListener {
  onItem(item: LogItem, bytes: number): void;
  /** Nothing of it was for the follower up to here. */
  onPassed(position: string): void;
}

/** What an item costs that has no rows. */
const SMALL = 100;

/** Puts the events of a log together to transactions, and leaves out what is not followed. */
export class Transactions {
  readonly #isMariadb: boolean;
  readonly #database: string;
  readonly #tables: ReadonlySet<string>;
  readonly #listener: LogListener;
  readonly #gtids: Gtids;
  readonly #shape: string;
  #file = "";
  readonly #maps = new Map<number, TableMap>();
  /** The transaction that is being read. */
  #gtid: string | undefined;
  /** It has an end of its own. */
  #isOpen = false;
  /** Something of it is for the follower. */
  #hasBegun = false;

  constructor(
    from: Position,
    given: { readonly isMariadb: boolean; readonly database: string; readonly tables: ReadonlySet<string> },
    listener: LogListener,
  ) {
    this.#isMariadb = given.isMariadb;
    this.#database = given.database;
    this.#tables = given.tables;
    this.#listener = listener;
    this.#gtids = createGtids(given.isMariadb, from.gtids);
    this.#shape = from.shape;
  }

  take({ event, at, next }: TimedEvent, bytes: number): void {
    switch (event.type) {
      case "file":
        this.#file = event.name;
        return;
      case "gtid":
        this.#gtid = event.gtid;
        this.#isOpen = this.#isMariadb && !event.isStandalone;
        this.#hasBegun = false;
        return;
      case "table":
        if (event.table.database === this.#database && this.#tables.has(event.table.name))
          this.#maps.set(event.table.id, event.table);
        else this.#maps.delete(event.table.id);
        return;
      case "rows": {
        const map = this.#maps.get(event.table);
        if (map !== undefined) this.#put({ type: "rows", map, event }, bytes);
        return;
      }
      case "statement":
        this.#takeStatement(event.database, event.text, { at, next });
        return;
      case "commit":
        this.#end({ at, next });
        return;
      case "prepared":
        if (this.#hasBegun) this.#listener.onItem({ type: "unreadable", what: XA }, SMALL);
        this.#end({ at, next });
        return;
      case "unreadable":
        this.#listener.onItem(event, SMALL);
        return;
      case "other":
        return;
      default:
        event satisfies never;
    }
  }

  #takeStatement(database: string, text: string, end: { readonly at: number; readonly next: number }): void {
    const statement = readStatement(text);
    const isNamed = text.includes(this.#database) && [...this.#tables].some((name) => text.includes(name));
    const isOurs = database === this.#database || isNamed;
    switch (statement.type) {
      case "begin":
        this.#isOpen = true;
        return;
      case "commit":
      case "xa-end":
        this.#end(end);
        return;
      case "rollback":
      case "partial-rollback":
        if (this.#hasBegun) this.#listener.onItem({ type: "unreadable", what: UNDONE }, SMALL);
        if (statement.type === "rollback") this.#end(end);
        return;
      case "xa":
        this.#isOpen = true;
        return;
      case "truncate":
        if ((statement.database ?? database) === this.#database && this.#tables.has(statement.table))
          this.#put({ type: "truncate", table: statement.table }, SMALL);
        break;
      case "definition":
        if (isOurs) this.#listener.onItem({ type: "definition" }, SMALL);
        break;
      case "change":
        if (isOurs) this.#listener.onItem({ type: "unreadable", what: STATEMENT }, SMALL);
        break;
      case "other":
        break;
      default:
        statement satisfies never;
    }
    if (!this.#isOpen) this.#end(end);
  }

  #put(item: LogItem, bytes: number): void {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#listener.onItem({ type: "begin" }, SMALL);
    }
    this.#listener.onItem(item, bytes);
  }

  #end({ at, next }: { readonly at: number; readonly next: number }): void {
    if (this.#gtid === undefined) return;
    this.#gtids.add(this.#gtid);
    this.#gtid = undefined;
    this.#isOpen = false;
    const place: Place | undefined = this.#file === "" || next === 0 ? undefined : { file: this.#file, offset: next };
    const position = formatPosition({ gtids: this.#gtids.toString(), shape: this.#shape, place });
    if (this.#hasBegun) this.#listener.onItem({ type: "commit", position, committedAt: at }, SMALL);
    else this.#listener.onPassed(position);
    this.#hasBegun = false;
  }
}

const XA = "a transaction in two phases (XA), which may not be committed yet";
const UNDONE = "a transaction that was undone in part, which tables without transactions do not follow";
const STATEMENT = "a statement in place of the rows that it has changed (binlog_format)";
