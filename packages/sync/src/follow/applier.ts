import type { ChangedRow, Key, Row, Table } from "../model.ts";
import type { Querier } from "../querier.ts";

type Signal = AbortSignal | undefined;

/** Who writes changes: one kind for each system. All of it in a transaction of the caller's, which also moves the kept position. */
export interface Applier {
  /**
   * Foreign keys of the target that change rows by themselves (ON DELETE CASCADE): `never` act; `always`, so that a row that is to be
   * deleted may have gone with its parent; or `as-told`, where a source does not always tell what its own have done.
   */
  readonly actions: "never" | "always" | "as-told";
  /** Tables to which such keys refer: where these act, changes are written one after the other, as the source has made them. */
  readonly keepsOrder: ReadonlySet<string>;
  /** Settings of the transaction, before its first change. */
  prepare(on: Querier): Promise<void>;
  /** Where foreign keys act as told: whether they do from now on. After {@link prepare} they do not. */
  act(on: Querier, doAct: boolean): Promise<void>;
  /** Adds rows; those whose key is there already are left out. Returns how many were added. */
  insertRows(on: Querier, table: Table, rows: readonly Row[], signal: Signal): Promise<number>;
  /**
   * Changes rows that are there, by their keys as they were. Returns how many were.
   * @param rows all with values for the same columns
   */
  updateRows(
    on: Querier,
    table: Table,
    keys: readonly Key[],
    rows: readonly ChangedRow[],
    signal: Signal,
  ): Promise<number>;
  /** Returns how many there were. */
  deleteRows(on: Querier, table: Table, keys: readonly Key[], signal: Signal): Promise<number>;
  /** Makes rows be there as they are: changes what has their key, or adds them. */
  writeRows(on: Querier, table: Table, rows: readonly Row[], signal: Signal): Promise<void>;
  readRows(on: Querier, table: Table, keys: readonly Key[], signal: Signal): Promise<readonly Row[]>;
  truncate(
    on: Querier,
    tables: readonly Table[],
    how: { readonly isCascade: boolean; readonly restartsIdentity: boolean },
  ): Promise<void>;
  /** The error is that another row or a constraint stands in the way. */
  isConflict(error: unknown): boolean;
}
