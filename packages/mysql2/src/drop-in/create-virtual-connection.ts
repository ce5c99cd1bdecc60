import type { FailoverPool } from "@mirrorpool/core";
import { type ConnectionConfig, classes } from "./internals.ts";
import { common } from "./source.ts";
import { inertConfig, SingleConnection, type VirtualConnection } from "./virtual-connection.ts";

/**
 * A connection as `mysql2` makes them, on a failover pool: for an adapter whose ORM pools connections itself. It costs none.
 * From `lend()` to `unbind()` of its session its statements belong together. Settings (`SET …`) that it is given before it is lent
 * for the first time hold for all its sessions.
 * @param config how values are written and rows read, as in `mysql2`
 */
export function createVirtualConnection(pool: FailoverPool, config: ConnectionConfig = {}): VirtualConnection {
  const source = { ...common(config), pool, isOwned: false, shown: {} };
  return new SingleConnection(source, inertConfig(new classes.ConnectionConfig(config)));
}
