import { inflateSync } from "node:zlib";
import { Reader } from "./reader.ts";
import { readTableMap, type TableMap } from "./table-map.ts";
import { readTaggedGtid } from "./tagged-gtid.ts";
import { uuidText } from "./uuid-text.ts";

/** Rows of one table, not read yet. */
export interface RowsEvent {
  readonly type: "rows";
  readonly what: "insert" | "update" | "delete";
  readonly table: number;
  /** What foreign keys did because of these changes is told as well, or they were not looked at. */
  readonly isComplete: boolean;
  /** One bit a column: its value is there. */
  readonly present: readonly Buffer[];
  readonly columns: number;
  readonly rows: Buffer;
}

/**
 * What the binary log says, as far as changes of rows are concerned (MySQL source documentation, "Binlog Event"; MariaDB
 * Knowledge Base, "Replication Protocol").
 */
type BinlogEvent =
  | { readonly type: "file"; readonly name: string; readonly position: number }
  /** A transaction begins. One that is standalone is a single statement, and has no end. */
  | { readonly type: "gtid"; readonly gtid: string; readonly isStandalone: boolean }
  | { readonly type: "statement"; readonly database: string; readonly text: string }
  | { readonly type: "commit" }
  /** The first phase of a transaction in two (XA) has ended. */
  | { readonly type: "prepared" }
  | { readonly type: "table"; readonly table: TableMap }
  | RowsEvent
  /** Changes that are not told row by row, or that are not there. */
  | { readonly type: "unreadable"; readonly what: string }
  | { readonly type: "other" };

export interface TimedEvent {
  readonly event: BinlogEvent;
  /** In milliseconds; the log has whole seconds. */
  readonly at: number;
  /** Where the next one begins in the server's file; 0 where it does not say. */
  readonly next: number;
}

const OTHER = { type: "other" } as const;
const KINDS = ["insert", "update", "delete"] as const;
const STANDALONE = 1;
const HEADER = 19;
/** Flags of rows: the session did not look at foreign keys; MySQL 9.6 and later: it has logged what they did. */
const NO_FOREIGN_KEYS = 2;
const TOLD_FOREIGN_KEYS = 16;

/** Reads one event without its checksum: what is not needed for the changes of rows is `other`. */
export function readEvent(bytes: Buffer): TimedEvent {
  const reader = new Reader(bytes);
  const at = reader.uint(4) * 1000;
  const code = reader.uint(1);
  const server = reader.uint(4);
  reader.skip(4);
  const next = reader.uint(4);
  reader.skip(2);
  return { event: readBody(code, server, bytes, reader), at, next };
}

function readBody(code: number, server: number, bytes: Buffer, reader: Reader): BinlogEvent {
  switch (code) {
    case 2:
      return readStatement(reader, (rest) => rest);
    case 165:
      return readStatement(reader, inflated);
    case 4: {
      const position = Number(reader.uint64());
      return { type: "file", position, name: reader.rest().toString("utf8") };
    }
    case 16:
      return { type: "commit" };
    case 19:
      return { type: "table", table: readTableMap(reader) };
    case 23:
    case 24:
    case 25:
      return readRows(KINDS[code - 23] as "insert", reader, false, (rest) => rest);
    case 30:
    case 31:
    case 32:
      return readRows(KINDS[code - 30] as "insert", reader, true, (rest) => rest);
    case 166:
    case 167:
    case 168:
      return readRows(KINDS[code - 166] as "insert", reader, false, inflated);
    case 169:
    case 170:
    case 171:
      return readRows(KINDS[code - 169] as "insert", reader, true, inflated);
    case 33: {
      reader.skip(1);
      const source = uuidText(reader.bytes(16));
      return { type: "gtid", gtid: `${source}:${reader.uint64()}`, isStandalone: false };
    }
    case 42:
      return { type: "gtid", gtid: readTaggedGtid(bytes.subarray(HEADER)), isStandalone: false };
    case 162: {
      const number = reader.uint64();
      const gtid = `${reader.uint(4)}-${server}-${number}`;
      return { type: "gtid", gtid, isStandalone: (reader.uint(1) & STANDALONE) !== 0 };
    }
    case 34:
      return { type: "unreadable", what: "a transaction without a GTID (gtid_mode)" };
    case 38:
      return { type: "prepared" };
    case 39:
      return { type: "unreadable", what: "parts of JSON values (binlog_row_value_options)" };
    case 40:
      return { type: "unreadable", what: "a transaction that is compressed (binlog_transaction_compression)" };
    case 26:
      return { type: "unreadable", what: "that events were lost on the server (an incident)" };
    case 17:
    case 18:
      return { type: "unreadable", what: "a LOAD DATA as a statement (binlog_format)" };
    default:
      return OTHER;
  }
}

function readStatement(reader: Reader, open: (rest: Buffer) => Buffer): BinlogEvent {
  reader.skip(8);
  const nameBytes = reader.uint(1);
  reader.skip(2);
  reader.skip(reader.uint(2));
  const database = reader.text(nameBytes);
  reader.skip(1);
  return { type: "statement", database, text: open(reader.rest()).toString("utf8") };
}

function readRows(
  what: RowsEvent["what"],
  reader: Reader,
  hasExtra: boolean,
  open: (rest: Buffer) => Buffer,
): RowsEvent {
  const table = reader.uint(6);
  const flags = reader.uint(2);
  const isComplete = (flags & NO_FOREIGN_KEYS) !== 0 || (hasExtra && (flags & TOLD_FOREIGN_KEYS) !== 0);
  if (hasExtra) reader.skip(reader.uint(2) - 2);
  const columns = reader.size();
  const present = [reader.bytes((columns + 7) >> 3)];
  if (what === "update") present.push(reader.bytes((columns + 7) >> 3));
  return { type: "rows", what, table, isComplete, columns, present, rows: open(reader.rest()) };
}

/** Of MariaDB's `log_bin_compress`: one byte with the size of the length, the length, and a stream of zlib. */
function inflated(bytes: Buffer): Buffer {
  return inflateSync(bytes.subarray(1 + ((bytes[0] ?? 0) & 0x07)));
}
