import type { View } from "../dialect.ts";
import type { ChangedRow, Key, Table } from "../model.ts";

/** A followed table, as the source has it at this place. A table that was changed is another one. */
export interface Followed {
  readonly name: string;
  /** The target's table, with the columns of the changes in their order. */
  readonly table: Table;
  keyOf(row: ChangedRow): Key;
}

/** What the source has done, in the order in which it was committed: each transaction from its beginning to its end. */
export type SourceChange =
  /** Between two transactions: nothing that has to be written. */
  | { readonly type: "none" }
  | { readonly type: "begin" }
  /** @param position whoever is there has this transaction and all before it */
  | { readonly type: "commit"; readonly position: string; readonly committedAt: number }
  | {
      readonly type: "truncate";
      readonly tables: readonly Followed[];
      readonly isCascade: boolean;
      readonly restartsIdentity: boolean;
    }
  | (Telling & { readonly type: "insert"; readonly table: Followed; readonly row: ChangedRow })
  | (Telling & {
      readonly type: "update";
      readonly table: Followed;
      /** As it was, where that was sent: always where its key is another one now. */
      readonly old: ChangedRow | undefined;
      readonly row: ChangedRow;
    })
  | (Telling & { readonly type: "delete"; readonly table: Followed; readonly old: ChangedRow });

interface Telling {
  /** What foreign keys of the source have done because of this change is not told: those of the target have to do the same. */
  readonly isSilent?: boolean;
}

/**
 * What to do with a source as it is found:
 *
 * - `foreign`: it is another one
 * - `reseed`: from the kept position nothing goes on without a gap, and why
 * - `continue`: from here on, which is the kept position in the words of today
 */
export type Start =
  | { readonly type: "foreign" }
  | { readonly type: "reseed"; readonly reason: string }
  | { readonly type: "continue"; readonly position: string };

/** How far behind a position is. */
export interface Lag {
  readonly isBehind: boolean;
  /** Undefined where the source does not tell. */
  readonly bytes: number | undefined;
}

/**
 * Where changes come from: one kind for each system. Positions are texts that only the source reads; they are kept on the target in the
 * transactions that write the changes.
 */
export interface ChangeSource {
  /** Leads to the primary. */
  connect(signal: AbortSignal): Promise<SourceConnection>;
  /** A view, and the position from which on changes are those that it does not have. */
  openView(signal: AbortSignal): Promise<{ readonly view: View; readonly position: string }>;
  /** Where the primary is, in words of its own. */
  readEnd(signal: AbortSignal): Promise<string>;
  /** Whoever is at this position has everything up to that end. */
  reaches(position: string, end: string): boolean;
  lag(position: string): Lag;
  /** A position as it is shown. */
  show(position: string): string;
  /** Somebody else follows in the same name. */
  isTaken(error: unknown): boolean;
  /** The source keeps nothing any more. */
  forget(signal: AbortSignal): Promise<void>;
}

export interface SourceConnection {
  /** The node's name. */
  readonly node: string;
  examine(kept: string): Promise<Start>;
  stream(position: string): Promise<ChangeStream>;
  release(): void;
}

/** The changes from a position on. */
export interface ChangeStream {
  /** Nothing has come that was not taken. */
  readonly isEmpty: boolean;
  /** Everything of the source up to here is on the target, also what was not for it. */
  readonly through: string;
  /** The next change, now or when it comes. @throws what has ended the stream */
  take(): Promise<SourceChange>;
  /** Everything that was taken is written on the target, which is here. */
  noteWritten(position: string): void;
  /** The target is here: the source need not keep what came before. */
  noteKept(position: string): void;
  /** Has the source tell where it is. */
  ask(): void;
  close(): void;
}

/** The changes from here on cannot be had in this way. What to do the source says when it is connected anew. */
export class StreamBroken extends Error {
  override readonly name = "StreamBroken";
}
