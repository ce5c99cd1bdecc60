import type { PoolOptions } from "@mirrorpool/core";

/** Connections of each pool, ours and theirs. */
export const MAX = 10;

/** Where an ORM works on mirrorpool: what `createPool` takes, but for the driver. */
type Mirrored = Omit<PoolOptions, "driver">;

/** An application of one ORM, with the two things that it does all day. */
export interface Application {
  /** Selects one order by its primary key. */
  find(id: number): Promise<Order | null | undefined>;
  /** Changes one order by its primary key. @returns how many were changed */
  update(id: number, item: string): Promise<number>;
  close(): Promise<unknown>;
}

/** A row of the table that all use. */
export interface Order {
  readonly id: number;
  readonly item: string;
}

/** The same application in two configurations. Each keeps {@link MAX} connections at most. */
export interface Orm {
  readonly name: string;
  /** On a pool of its own. */
  plain(url: string): Application | Promise<Application>;
  mirrored(source: Mirrored): Application | Promise<Application>;
}
