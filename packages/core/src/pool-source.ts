import { createPool } from "./cluster.ts";
import type { PoolOptions } from "./config/options.ts";
import type { FailoverPool } from "./failover-pool.ts";

/** What an adapter works on: a pool that others may use as well, or the options of one of its own. */
export type PoolSource = FailoverPool | PoolOptions;

/** A pool in use by an adapter. */
export interface PoolInUse {
  readonly pool: FailoverPool;
  /** Closes the pool if it was made here; one that was given stays open. */
  release(): Promise<void>;
}

/** Makes a pool of options, and takes a pool as it is. @throws {OptionsError} */
export function takePool(source: PoolSource): PoolInUse {
  if ("transaction" in source) return { pool: source, release: async () => {} };
  const pool = createPool(source);
  return { pool, release: () => pool.close() };
}
