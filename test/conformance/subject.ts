import type { PoolSource } from "@mirrorpool/core";

/** A row of the table `orders (id int primary key, item text not null)`. */
export interface Order {
  readonly id: number;
  readonly item: string;
}

/** A row of the table `samples`, as plain values: an adapter's test turns what its ORM gives into these. */
export interface Sample {
  /** The key, an `int`. */
  readonly id: number;
  /** A `bigint`. */
  readonly large: bigint;
  /** A `numeric(30, 10)`, as PostgreSQL writes it. */
  readonly exact: string;
  /** A `timestamptz`. */
  readonly moment: Date;
  /** A `jsonb`. */
  readonly document: unknown;
  /** A `bytea`, in hexadecimal digits. */
  readonly bytes: string;
  /** A `text[]`. */
  readonly tags: readonly string[];
}

/** Where statements run: on their own, or in a transaction. Each in the idioms of the ORM. */
export interface Scope {
  insert(order: Order): Promise<unknown>;
  find(id: number): Promise<Order | undefined>;
  /** A statement as text, without values, and its rows. */
  raw(sql: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** A transaction around the work; in a transaction, a nested one. Rolled back, and rejects, when the work throws. */
  transaction<T>(work: (scope: Scope) => Promise<T>): Promise<T>;
}

/** An ORM (or a driver's drop-in) on a mirrored pool: what an application does with it. */
export interface Subject extends Scope {
  /** Writes a sample and reads it back. */
  roundTrip(sample: Sample): Promise<Sample | undefined>;
  /** The orders from this id on, by id, one after the other as they come: not all of them held in memory. */
  stream(fromId: number): AsyncIterable<Order>;
  /** Brings the schema up to date with the ORM's migrations: the first makes `shelf (id int)`, the second adds `label text`. */
  migrate(): Promise<unknown>;
  /** The names of the tables, by the ORM's own introspection. */
  tables(): Promise<readonly string[]>;
  /** Runs a statement and gives it up after a while by the ORM's own means: a signal, a timeout that cancels. Rejects then. */
  giveUp(sql: string, afterMs: number): Promise<unknown>;
  /** Closes the ORM, and with it a pool that it has made itself. Idempotent. */
  close(): Promise<void>;
}

/** How a subject is made: on a pool that others use as well, or on one of its own. */
export type OpenSubject = (source: PoolSource) => Subject | Promise<Subject>;

/** What a subject throws for what its ORM does not have: a gap, to be declared. */
export class NotSupported extends Error {
  override readonly name = "NotSupported";
}
