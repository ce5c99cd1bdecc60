/** The mirrorpool driver for PostgreSQL, on the `pg` library. */
export { classify } from "./classify.ts";
export { type CopySink, copyIn } from "./copy/copy-in.ts";
export { type CopySource, type CopyTaker, copyOut } from "./copy/copy-out.ts";
export { type ClientSettings, type PostgresSettings, postgres } from "./driver.ts";
export { createDropIn, type DropIn, type DropInOptions } from "./drop-in/create-drop-in.ts";
export { createVirtualClient } from "./drop-in/create-virtual-client.ts";
export { Client, Pool } from "./drop-in/index.ts";
export type {
  DropInClientConfig,
  DropInPoolConfig,
  MirroredConfig,
  MirrorpoolOption,
  OwnPoolOptions,
} from "./drop-in/options.ts";
export { type SharedSource, takePgPool } from "./drop-in/source.ts";
export type { VirtualClient } from "./drop-in/virtual-client.ts";
export type { ClientClass, PoolClass } from "./drop-in/virtual-pool.ts";
export type { PreparedStatementOptions } from "./prepared-statements.ts";
export type { QueryObject } from "./submission.ts";
export { submit } from "./submit.ts";
