import type { Querier } from "./querier.ts";

export interface StoredJob {
  readonly kind: string;
  /** JSON of the job's own. */
  readonly plan: string;
  /** Counts the consistent views that it has worked from. */
  readonly generation: number;
  readonly state: "running" | "finished";
}

export interface DoneChunk {
  readonly generation: number;
  readonly rows: number;
  readonly bytes: number;
}

/** `done`: finished from this view; `stale`: from an earlier one; `superseded`: another process goes on with this job. */
export type Claim = "done" | "stale" | "new" | "superseded";

/** How far a job is, kept on its target. */
export interface JobState {
  /** `schema.table` of what it is kept in. */
  readonly tables: readonly string[];
  /** Makes these tables, for whoever may make tables; does nothing where they are. */
  prepare(on: Querier): Promise<void>;
  load(on: Querier, job: string): Promise<StoredJob | undefined>;
  /** A job begins, or begins anew: what was known of one of this name is gone. In a transaction of the caller's. */
  begin(on: Querier, job: string, kind: string, plan: string): Promise<void>;
  /** All chunks count as written, from an earlier view: each is compared. */
  markStale(on: Querier, job: string, chunks: number): Promise<void>;
  /** The same for one chunk, in the transaction that writes it: what it was read from may be another view. */
  markEarlier(on: Querier, job: string, chunk: number): Promise<void>;
  /** The job goes on from another view. */
  nextGeneration(on: Querier, job: string): Promise<number>;
  finish(on: Querier, job: string): Promise<void>;
  loadChunks(on: Querier, job: string): Promise<ReadonlyMap<number, DoneChunk>>;
  /**
   * Claims a chunk for the open transaction: waits for another transaction that is at it, whoever runs that, and whatever has
   * become of its connection.
   */
  claimChunk(on: Querier, job: string, chunk: number, generation: number): Promise<Claim>;
  noteChunk(on: Querier, job: string, chunk: number, rows: number, bytes: number): Promise<void>;

  /** How far a follower is; undefined where it has not begun. */
  loadPosition(on: Querier, job: string): Promise<string | undefined>;
  /**
   * Moves it, in the transaction that writes what was followed.
   * @param before what it was; false where that is not so any more: another process follows
   */
  movePosition(on: Querier, job: string, before: string | null, position: string): Promise<boolean>;
  forget(on: Querier, job: string): Promise<void>;
}
