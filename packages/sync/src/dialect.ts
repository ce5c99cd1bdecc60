import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { ViewTicket } from "./fleet/unit.ts";
import type { JobState } from "./job-state.ts";
import type {
  Catalog,
  Checksum,
  Constraints,
  ForeignKeyDefinition,
  Index,
  Key,
  Range,
  Row,
  SequenceState,
  SetAside,
  System,
  Table,
} from "./model.ts";
import type { Querier } from "./querier.ts";
import type { ByteSink, ByteSource } from "./stream.ts";
import type { Loss } from "./types/losses.ts";

/** One consistent view of a database, for a number of connections. */
export interface View {
  /** The node that has it. */
  readonly node: string;
  /** A connection that rests, for short questions. */
  readonly holder: ReservedConnection;
  /** False once every connection that had it is lost. */
  readonly isAlive: boolean;
  /** By which other processes come to it; undefined where they cannot. */
  readonly ticket?: ViewTicket;
  /** Another connection with the same view. @throws {ViewLost} */
  reader(signal: AbortSignal): Promise<ReservedConnection>;
  /** Nobody changes or drops what is going to be read. */
  lock(tables: readonly Table[], signal: AbortSignal): Promise<void>;
  close(): void;
}

/** A view of another process. */
export interface JoinedView {
  /** False once it cannot be had any more. */
  readonly isAlive: boolean;
  /** @throws {ViewLost} */
  reader(signal: AbortSignal): Promise<JoinedReader>;
  close(): void;
}

export interface JoinedReader {
  readonly connection: ReservedConnection;
  /** It has the very view of the other process, and not one of about the same time. */
  readonly isSame: boolean;
}

/**
 * How rows travel. `pg-binary` and `pg-text` are PostgreSQL's own, with the headers of its messages. `text` is for everybody: the text
 * format of PostgreSQL's COPY in UTF-8 (a line a row, tabs between values, `\N` is NULL, backslash escapes), each value in the
 * {@link Form} of its column.
 */
export type RowForm = "pg-binary" | "pg-text" | "text";

type Signal = AbortSignal | undefined;

/** What both sides of a job give. A table's columns say by their `form` how values are written and compared. */
export interface SideDialect {
  readonly system: System;
  /** As a reader of a view sees it. */
  readCatalog(on: Querier, signal: Signal): Promise<Catalog>;
  readPrimary(pool: FailoverPool, signal: Signal): Promise<Catalog>;
  /** Indexes and foreign keys, in words that other systems have as well. */
  readConstraints(on: Querier, signal: Signal): Promise<Constraints>;
  /** @param connections how many readers there may be, which some systems have to know beforehand */
  openView(pool: FailoverPool, on: "primary" | "mirror", connections: number, signal: AbortSignal): Promise<View>;
  /** Comes to a view of another process, as near as the system allows. */
  joinView(pool: FailoverPool, ticket: ViewTicket, signal: AbortSignal): Promise<JoinedView>;
  /** Settings under which equal values have equal texts. In a transaction of the caller's. */
  prepareReader(on: Querier): Promise<void>;
  /** What fails in the work does not cost the reader its view; the reader is released where it does. */
  guard<T>(reader: ReservedConnection, work: () => Promise<T>, signal: AbortSignal): Promise<T>;

  /** Bounds that cut a range into about this many pieces of about the same number of rows. */
  splitRange(
    on: Querier,
    table: Table,
    range: Range,
    pieces: number,
    options: { readonly rows: number; readonly signal?: Signal },
  ): Promise<readonly Key[]>;
  checksum(on: Querier, table: Table, range: Range, signal: Signal): Promise<Checksum>;
  /** The hash of each row of a range, by the key as JSON. For ranges that are known to be small. */
  keyHashes(on: Querier, table: Table, range: Range, signal: Signal): Promise<ReadonlyMap<string, string>>;
  hashesOfKeys(on: Querier, table: Table, keys: readonly Key[], signal: Signal): Promise<ReadonlyMap<string, string>>;
}

/** What a source of rows gives besides. */
export interface SourceDialect extends SideDialect {
  /** The {@link Catalog.place} of its primary. */
  readPlace(pool: FailoverPool, signal: Signal): Promise<string>;
  source(on: Querier, table: Table, range: Range, form: RowForm): ByteSource;
  /** Rows by their keys. */
  readRows(on: Querier, table: Table, keys: readonly Key[], signal: Signal): Promise<readonly Row[]>;
  /** For each of what may not be lost a value that would be, as it is shown; undefined where there is none. */
  findLosses(
    on: Querier,
    table: Table,
    losses: readonly Loss[],
    signal: Signal,
  ): Promise<readonly (string | undefined)[]>;
  /** On the primary: a mirror may have them some values ahead. */
  readSequences(pool: FailoverPool, tables: readonly Table[], signal: Signal): Promise<readonly SequenceState[]>;
}

/** What begins a copy, besides its state. */
export interface CopyStart {
  readonly job: string;
  readonly plan: string;
  readonly setAside: readonly SetAside[];
  /** As many chunks count as written from an earlier view. */
  readonly stale: number;
  /** Tables whose rows are removed. */
  readonly emptied: readonly Table[];
}

/** What a target of rows takes. */
export interface TargetDialect extends SideDialect {
  /** A transaction of a session that writes rows as they are. */
  beginLoad(on: Querier, signal: AbortSignal): Promise<void>;
  /** Settings of a transaction that writes single rows. In one of the caller's. */
  prepareWriter(on: Querier): Promise<void>;
  /** Work under a reader's settings, which the rest of the transaction goes on without. */
  asReader<T>(on: Querier, work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** @param columns the columns that come, in their order */
  sink(on: Querier, table: Table, columns: readonly string[], form: RowForm): ByteSink;

  /** Makes an index of a table that has rows, under its name unless that is taken. @throws the database's own error */
  makeIndex(pool: FailoverPool, index: Index, table: Table, signal: AbortSignal): Promise<void>;
  /** The same with a foreign key, which the rows have to keep. */
  makeForeignKey(pool: FailoverPool, key: ForeignKeyDefinition, signal: AbortSignal): Promise<void>;
  /** Why the database cannot have such a key with these rows, without values of them; undefined where the error is of another kind. */
  whyNotMade(error: unknown): string | undefined;

  /** Makes rows be there as they are: changes what has their key, or adds them. */
  writeRows(on: Querier, table: Table, rows: readonly Row[], signal: Signal): Promise<void>;
  deleteRows(on: Querier, table: Table, keys: readonly Key[], signal: Signal): Promise<number>;
  /** The error is that another row or a constraint stands in the way. */
  isConflict(error: unknown): boolean;

  /** Those of the tables that have rows. */
  findFilled(on: Querier, tables: readonly Table[]): Promise<readonly Table[]>;
  deleteRange(on: Querier, table: Table, range: Range): Promise<number>;
  /** Reasons why the target's tables cannot be loaded, beyond what their columns say. */
  findHindrances(on: Querier, tables: readonly Table[]): Promise<readonly { table: string; reason: string }[]>;
  /** What is to be set aside while rows are written. */
  findObstacles(on: Querier, tables: readonly Table[]): Promise<readonly SetAside[]>;
  /**
   * Indexes of empty tables that are made faster when all rows are there.
   * @param tables those that are worth it, the biggest first
   * @param all the tables of the job
   */
  findIndexes(on: Querier, tables: readonly Table[], all: readonly Table[]): Promise<readonly SetAside[]>;
  /** Begins the job: whatever is lost on the way, either it has begun or the same call begins it. */
  beginCopy(pool: FailoverPool, start: CopyStart, signal: AbortSignal): Promise<void>;
  /** Sets aside again what a copy that was ended had brought back already: it goes on to write rows. */
  setAsideAgain(pool: FailoverPool, setAside: readonly SetAside[], signal: AbortSignal): Promise<void>;
  /** Brings back what was set aside; does nothing where it is there. @throws the database's own error, or that rows break it */
  bringBack(pool: FailoverPool, obstacle: SetAside, signal: AbortSignal): Promise<void>;
  /** Returns how many were set. */
  setSequences(pool: FailoverPool, tables: readonly Table[], sequences: readonly SequenceState[]): Promise<number>;
  /** Levels of foreign keys have to be kept while a copy writes: nothing can be set aside. */
  isOrdered(tables: readonly Table[]): boolean;

  readonly state: JobState;
}

/** What the jobs need of a database system; they themselves know no SQL. */
export interface Dialect extends SourceDialect, TargetDialect {}
