import type { FailoverPool, PoolSource, ReservedConnection } from "@mirrorpool/core";
import type { System } from "@mirrorpool/sync/for-other-jobs";
import type { FileFormat } from "./format/file.ts";
import type { BackedUpTable, Manifest, RowForm, SourcePosition } from "./format/manifest.ts";
import type { Plan, PlannedTable } from "./run/unfinished.ts";
import type { SchemaChoice } from "./schema-choice.ts";
import type { RowContent } from "./stream/row-content.ts";
import type { RowTarget } from "./stream/row-sink.ts";
import type { Phase, RestorePlan } from "./target/phases.ts";
import type { Target } from "./target/target.ts";

type Signal = AbortSignal | undefined;

/** What of a plan the server says. */
export type FromCatalogue = Pick<
  Plan,
  "tables" | "sequences" | "materializedViews" | "constraints" | "chunks" | "warnings"
>;

/** What is asked for of a plan. */
export interface Wanted {
  /** Undefined: all. */
  readonly patterns: readonly string[] | undefined;
  /** Undefined: by the size of the whole. */
  readonly chunkBytes: number | undefined;
  readonly form: RowForm;
}

/** One consistent view of a database, for a number of connections to one node. */
export interface SourceView extends AsyncDisposable {
  readonly source: SourcePosition;
  /** Looks at what there is, sees to it that nobody drops it, and cuts it into chunks. */
  plan(wanted: Wanted): Promise<FromCatalogue>;
  /** Writes the definitions as the view sees them. @throws {BackupError} `SCHEMA_FAILED` unless it is `auto` */
  writeSchema(
    source: PoolSource,
    choice: SchemaChoice,
    format: FileFormat,
    signal: Signal,
  ): Promise<Manifest["schema"]>;
  /** A connection in the view that reads nothing at the moment. @throws {BackupError} `SOURCE_LOST` */
  take(signal: AbortSignal): Promise<ReservedConnection>;
  giveBack(connection: ReservedConnection): void;
  /** It is of no use any more. */
  drop(connection: ReservedConnection): void;
  /** A part of a table. Where it is not read to its end its connection is of no use any more. */
  read(connection: ReservedConnection, table: PlannedTable, part: unknown, signal: AbortSignal): Promise<RowContent>;
  /** The same may be read again in the same view, on another connection. */
  isPassing(error: unknown): boolean;
}

/** Backs up databases of one system. */
interface SourceDialect {
  /** @param jobs how many connections there may be, which some systems have to know beforehand */
  openView(pool: FailoverPool, from: "mirror" | "primary", jobs: number, signal: Signal): Promise<SourceView>;
}

/** The restore that a target is marked with. */
export interface Mark {
  /** The backup's id and name. */
  readonly backup: string;
  readonly name: string;
  readonly plan: string;
}

/** How the steps of a restore run in a session. */
export interface StepDialect {
  prepare(connection: ReservedConnection, signal: Signal): Promise<void>;
  begin(connection: ReservedConnection): Promise<void>;
  /**
   * Notes the step in the transaction that is open. First: it waits while a lost connection's transaction is still open on the
   * server, and learns how that ended.
   * @returns false where it is done
   */
  claim(connection: ReservedConnection, step: string): Promise<boolean>;
  /** @returns false where the server rolled it back */
  commit(connection: ReservedConnection): Promise<boolean>;
  /** What the database says, without values of rows. */
  messageOf(error: unknown): string;
  /** The connection or its node is of no use any more, and another one may be. */
  isLoss(error: unknown): boolean;
}

/** Restores backups into databases of one system. */
export interface TargetDialect {
  readonly system: System;
  readonly steps: StepDialect;
  /**
   * Keeps another restore from the same target, as long as its connection lives; where that is lost the rows of the steps still keep
   * two from doing the same.
   * @throws {BackupError} `TARGET_BUSY`
   */
  lock(pool: FailoverPool, signal: Signal): Promise<ReservedConnection>;
  /** As names are written in its SQL. */
  quoteTable(table: Pick<BackedUpTable, "schema" | "name">): string;

  readMark(target: Target, signal: Signal): Promise<Mark | undefined>;
  /** Marks the target: from now on it is not complete, and everybody can see that. */
  mark(target: Target, mark: Mark, signal: Signal): Promise<void>;
  /**
   * Removes the mark, and with it what was noted.
   * @param steps how many have to be there, all as safe as the server makes what it acknowledges; undefined: whatever there is
   * @throws {TakenBackError} where there are fewer
   */
  unmark(target: Target, steps: number | undefined, signal: Signal): Promise<void>;
  /** The steps that the target has now: a failover or a crash may have taken some of them back. */
  stepsDone(target: Target, signal: Signal): Promise<ReadonlySet<string>>;
  /** What is to be removed by hand where a restore is given up by hand, for messages. */
  readonly markName: string;

  /** @throws {BackupError} for what does not fit into the target, before anything is done */
  requireFit(target: Target, manifest: Manifest, plan: RestorePlan, signal: Signal): Promise<void>;
  /** Tables as they are to be for the rows to come. */
  prepare(phase: Phase): Promise<void>;
  /** Rows of a table, in the transaction that is open. */
  write(connection: ReservedConnection, manifest: Manifest, table: BackedUpTable): Promise<() => RowTarget>;
  /** No transaction keeps its rows together: its one chunk is written whole, and anew where that was not noted. */
  isUnsafe(target: Target, table: BackedUpTable, signal: Signal): Promise<boolean>;
  /** In the transaction that is open, for a unit that another process gives out. */
  isOfRestore(connection: ReservedConnection, backup: string): Promise<boolean>;
  /** All that follows the rows. Returns what was left, for a person. */
  finish(phase: Phase): Promise<readonly string[]>;
  /** Undoes what `prepare` has done. */
  giveUp(target: Target, plan: RestorePlan, signal: Signal): Promise<void>;
  /** The rows of a table in the form that the backup has them in. */
  readBack(
    connection: ReservedConnection,
    manifest: Manifest,
    table: BackedUpTable,
    signal: AbortSignal,
  ): Promise<RowContent>;
}

/** What the jobs need of a database system; they themselves know no SQL. */
export interface Dialect extends SourceDialect, TargetDialect {}
