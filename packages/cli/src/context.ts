import { createPool, type FailoverPool } from "@mirrorpool/core";
import { type Cluster, findCluster } from "./config/clusters.ts";
import { type LoadedConfig, loadConfig } from "./config/load.ts";
import { type ExitCode, exitCodes } from "./errors.ts";
import type { Output } from "./output/output.ts";

/** What every command takes. */
export interface CommonOptions {
  readonly config?: string;
  readonly json?: boolean;
  readonly timeout?: number;
}

/** What a command works with: the world around it, so that tests can give another one. */
export interface World {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Fires at Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly output: Output;
}

/** One call of the command. */
export class Context {
  readonly world: World;
  readonly options: CommonOptions;
  exitCode: ExitCode = exitCodes.done;
  #loaded: Promise<LoadedConfig | undefined> | undefined;

  constructor(world: World, options: CommonOptions) {
    this.world = world;
    this.options = options;
  }

  get output(): Output {
    return this.world.output;
  }

  get signal(): AbortSignal {
    return this.world.signal;
  }

  /** @throws {UsageError} */
  async cluster(given: string | undefined): Promise<Cluster> {
    this.#loaded ??= loadConfig(this.options.config, this.world.folder);
    return findCluster(given, await this.#loaded, this.world.environment);
  }

  /** The cluster where one can be found: for what needs no database. */
  async clusterIfAny(given: string | undefined): Promise<Cluster | undefined> {
    if (given !== undefined) return this.cluster(given);
    return this.cluster(undefined).catch(() => undefined);
  }

  /** A pool that is closed afterwards. Nothing is connected yet. */
  async withPool<T>(cluster: Cluster, work: (pool: FailoverPool) => Promise<T>): Promise<T> {
    const pool = createPool({ applicationName: "mirrorpool cli", ...cluster.pool });
    try {
      return await work(pool);
    } finally {
      await pool.close({ timeoutMs: 1000 });
    }
  }
}
