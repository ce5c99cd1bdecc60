import type { KeySource, S3Options, Store } from "@mirrorpool/backup";
import type { Driver, PoolOptions, PromoteRequest } from "@mirrorpool/core";

/** One cluster that commands may name. */
export interface ClusterConfig extends Omit<PoolOptions, "driver"> {
  /** Default: by the URLs, `postgres()` of `@mirrorpool/pg` or `mysql()` of `@mirrorpool/mysql2`. */
  readonly driver?: Driver;
  /** Where its backups are: the path of a folder, a bucket, or a store. */
  readonly backups?: string | S3Options | Store;
  /** What they are encrypted with. */
  readonly encryption?: KeySource;
  /** Makes the mirror the primary, by whatever manages the cluster: for `mirrorpool switchover`. */
  readonly promote?: (request: PromoteRequest) => Promise<void>;
}

/** What `mirrorpool.config.ts` exports as its default. */
export interface MirrorpoolConfig {
  /** By the names that commands call them. */
  readonly clusters: Readonly<Record<string, ClusterConfig>>;
  /** The one that is meant where none is named. Default: the only one. */
  readonly default?: string;
}

/** Types a configuration file, and changes nothing. */
export function defineConfig(config: MirrorpoolConfig): MirrorpoolConfig {
  return config;
}
