import pg from "pg";
import type { SharedSource } from "./source.ts";
import { type ClientClass, createClientClass, createPoolClass, type PoolClass } from "./virtual-pool.ts";

/** Everything that `pg` exports, with `Pool` and `Client` on a failover pool. */
export interface DropIn extends Omit<typeof pg, "Pool" | "Client" | "native"> {
  readonly Pool: PoolClass;
  readonly Client: ClientClass;
  /** There is no pg-native here: libraries that look for it find nothing. */
  readonly native: undefined;
}

export interface DropInOptions {
  /**
   * The failover pool that every `Pool` and `Client` of this module uses, unless its own options name one. What a library says of
   * hosts and logins is not used then. A function is asked for the pool by each of them. Without it each makes its own from `pg`'s options.
   */
  readonly mirrorpool?: SharedSource;
  /** The copy of `pg` whose classes are extended, where there are several. Default: the one that this package finds. */
  readonly pg?: typeof pg;
}

/**
 * A stand-in for the module `pg`, for libraries that take it as an option.
 * @example new Sequelize({ dialect: "postgres", dialectModule: createDropIn({ mirrorpool: pool }) })
 */
export function createDropIn({ mirrorpool, pg: module = pg }: DropInOptions = {}): DropIn {
  return {
    ...module,
    Pool: createPoolClass(module, mirrorpool),
    Client: createClientClass(mirrorpool),
    native: undefined,
  };
}
