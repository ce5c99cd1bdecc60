/** The mirrorpool driver for MariaDB and MySQL, on the `mysql2` library. */
export { classify } from "./classify.ts";
export { CommandChannel, type RawCommand } from "./command-channel.ts";
export { mysql } from "./driver.ts";
export { createDropIn, type DropIn, type DropInOptions, type PromiseDropIn } from "./drop-in/create-drop-in.ts";
export { createVirtualConnection } from "./drop-in/create-virtual-connection.ts";
export { createConnection, createPool, createPoolCluster } from "./drop-in/index.ts";
export type {
  DropInClusterConfig,
  DropInConnectionConfig,
  DropInPoolConfig,
  MirroredConfig,
  MirrorpoolOption,
  OwnPoolOptions,
} from "./drop-in/options.ts";
export { type SharedSource, takeMysqlPool } from "./drop-in/source.ts";
export type { VirtualConnection } from "./drop-in/virtual-connection.ts";
export type { ClientSettings } from "./open.ts";
export { readRows } from "./read-rows.ts";
export type { MysqlResult } from "./result.ts";
export { RowChannel, type RowListener } from "./row-channel.ts";
