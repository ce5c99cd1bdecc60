/** The configuration of the `mirrorpool` command. */
export { type ClusterConfig, defineConfig, type MirrorpoolConfig } from "./config/define-config.ts";
export type { DrillCall, DrillWorkload } from "./drill/workload.ts";
