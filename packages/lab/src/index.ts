/**
 * Real local PostgreSQL clusters, and what can go wrong with them.
 *
 * @packageDocumentation
 */
export { createCluster, type LabCluster, type PromoteOptions } from "./cluster/cluster.ts";
export type { LabNode } from "./cluster/lab-node.ts";
export type { ClusterOptions } from "./cluster/options.ts";
export { LabError, type LabErrorCode } from "./errors.ts";
export { sweep } from "./platform/run.ts";
export type { PostgresSystem } from "./postgres/binaries.ts";
export type { StopMode } from "./postgres/server.ts";
export type { Row } from "./postgres/sql.ts";
export type { Direction, Fault } from "./proxy/fault.ts";
export { createFaultProxy, type FaultProxy, type FaultProxyOptions, type ProxyStats } from "./proxy/fault-proxy.ts";
export type { WaitOptions } from "./wait.ts";
