/**
 * Real local clusters of PostgreSQL, MariaDB and MySQL, and what can go wrong with them.
 *
 * @packageDocumentation
 */
export { createCluster, type LabCluster, type PromoteOptions } from "./cluster/cluster.ts";
export type { LabNode } from "./cluster/lab-node.ts";
export type { Row } from "./cluster/login.ts";
export type { ClusterOptions, Installation, Installation as PostgresSystem, ServerKind } from "./cluster/options.ts";
export type { StopMode } from "./cluster/server.ts";
export { LabError, type LabErrorCode } from "./errors.ts";
export { sweep } from "./platform/run.ts";
export type { Direction, Fault } from "./proxy/fault.ts";
export { createFaultProxy, type FaultProxy, type FaultProxyOptions, type ProxyStats } from "./proxy/fault-proxy.ts";
export type { WaitOptions } from "./wait.ts";
