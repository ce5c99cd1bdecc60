import type { FailoverPool } from "@mirrorpool/core";
import { VirtualClient } from "./virtual-client.ts";

/**
 * A client as `pg` makes them, on a failover pool: for an adapter whose ORM pools clients itself. It costs no connection.
 * From `lend()` to `unbind()` its statements are one session. Settings (`SET …`) that it is given before it is lent for the
 * first time hold for all its sessions.
 */
export function createVirtualClient(pool: FailoverPool): VirtualClient {
  const common = { consistency: undefined, queryTimeoutMs: undefined, connectTimeoutMs: undefined, binary: false };
  return new VirtualClient({}, { ...common, pool, isOwned: false, shown: {} });
}
