import type { FailoverPool, ReservedConnection } from "@mirrorpool/core";
import type { Catalog, Checksum, Key, Range, Row, System, Table } from "./model.ts";
import type { SetAside } from "./postgres/constraints.ts";
import type { Claim, DoneChunk, StoredJob } from "./postgres/state.ts";
import type { Querier } from "./querier.ts";
import type { ByteSink, ByteSource } from "./stream.ts";

/** One consistent view of a source, for any number of connections. */
export interface View {
  /** The node that has it. */
  readonly node: string;
  /** A connection that rests, for short questions. */
  readonly holder: ReservedConnection;
  /** False once every connection that had it is lost. */
  readonly isAlive: boolean;
  /** Another connection with the same view. @throws {ViewLost} */
  reader(signal: AbortSignal): Promise<ReservedConnection>;
  /** Nobody changes or drops what is going to be read. */
  lock(tables: readonly Table[], signal: AbortSignal): Promise<void>;
  close(): void;
}

/** How rows travel. Both sides have to know the form. */
export type RowForm = "pg-binary" | "pg-text";

/** What a job needs of a database system; the jobs themselves know no SQL. */
export interface Dialect {
  readonly system: System;
  /** As a reader of a view sees it. */
  readCatalog(on: Querier, signal: AbortSignal | undefined): Promise<Catalog>;
  readPrimary(pool: FailoverPool, signal: AbortSignal | undefined): Promise<Catalog>;
  openView(pool: FailoverPool, on: "primary" | "mirror", signal: AbortSignal): Promise<View>;
  /** Settings under which equal values have equal texts, each for its transaction alone. */
  readonly readerSettings: readonly string[];
  /** Settings of a transaction that writes, each for that transaction alone. */
  readonly writerSettings: readonly string[];
  /** Around one piece of work on a reader: what fails in it does not cost the view. */
  readonly mark: { readonly set: string; readonly goBack: string; readonly remove: string };

  /** Bounds that cut a range into about this many pieces of about the same number of rows. */
  splitRange(
    on: Querier,
    table: Table,
    range: Range,
    pieces: number,
    options: { readonly rows: number; readonly signal?: AbortSignal | undefined },
  ): Promise<readonly Key[]>;
  /** In which form rows of the one go to the other. */
  formFor(from: Catalog, to: Catalog, table: Table, target: Table): RowForm;
  source(on: Querier, table: Table, range: Range, form: RowForm): ByteSource;
  sink(on: Querier, table: Table, columns: readonly string[], form: RowForm): ByteSink;

  checksum(on: Querier, table: Table, range: Range, signal: AbortSignal | undefined): Promise<Checksum>;
  keyHashes(
    on: Querier,
    table: Table,
    range: Range,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, string>>;
  hashesOfKeys(
    on: Querier,
    table: Table,
    keys: readonly Key[],
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<string, string>>;

  /** Rows by their keys. */
  readRows(on: Querier, table: Table, keys: readonly Key[], signal: AbortSignal | undefined): Promise<readonly Row[]>;
  /** Makes rows be there as they are: changes what has their key, or adds them. */
  writeRows(on: Querier, table: Table, rows: readonly Row[], signal: AbortSignal | undefined): Promise<void>;
  deleteRows(on: Querier, table: Table, keys: readonly Key[], signal: AbortSignal | undefined): Promise<number>;
  /** The error is that another row or a constraint stands in the way. */
  isConflict(error: unknown): boolean;

  /** Those of the tables that have rows. */
  findFilled(on: Querier, tables: readonly Table[]): Promise<readonly Table[]>;
  truncate(on: Querier, tables: readonly Table[]): Promise<void>;
  deleteRange(on: Querier, table: Table, range: Range): Promise<number>;

  findObstacles(on: Querier, tables: readonly Table[]): Promise<readonly SetAside[]>;
  isAway(on: Querier, obstacle: SetAside): Promise<boolean>;
  setSequences(from: Querier, to: Querier, tables: readonly Table[]): Promise<number>;

  readonly state: JobState;
}

/** How far a job is, kept on its target. */
interface JobState {
  /** `schema.table` of what it is kept in. */
  readonly tables: readonly string[];
  prepare(on: Querier): Promise<void>;
  load(on: Querier, job: string): Promise<StoredJob | undefined>;
  begin(on: Querier, job: string, kind: string, plan: string): Promise<void>;
  /** All chunks count as written, from an earlier view: each is compared. */
  markStale(on: Querier, job: string, chunks: number): Promise<void>;
  nextGeneration(on: Querier, job: string): Promise<number>;
  finish(on: Querier, job: string): Promise<void>;
  loadChunks(on: Querier, job: string): Promise<ReadonlyMap<number, DoneChunk>>;
  claimChunk(on: Querier, job: string, chunk: number, generation: number): Promise<Claim>;
  noteChunk(on: Querier, job: string, chunk: number, rows: number, bytes: number): Promise<void>;
}
