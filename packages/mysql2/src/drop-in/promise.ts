/** Stands in for `mysql2/promise`: the same exports, with pools and connections on a failover pool. */
import type { PromiseDropIn } from "./create-drop-in.ts";
import dropIn from "./index.ts";

const promiseDropIn: PromiseDropIn = dropIn.promises;

export const createConnection: PromiseDropIn["createConnection"] = promiseDropIn.createConnection;
export const createPool: PromiseDropIn["createPool"] = promiseDropIn.createPool;
export const createPoolCluster: PromiseDropIn["createPoolCluster"] = promiseDropIn.createPoolCluster;
export const Connection: PromiseDropIn["Connection"] = promiseDropIn.Connection;
const escapeValue: PromiseDropIn["escape"] = promiseDropIn.escape;

export { escapeValue as escape };
export const escapeId: PromiseDropIn["escapeId"] = promiseDropIn.escapeId;
export const format: PromiseDropIn["format"] = promiseDropIn.format;
export const PoolConnection: PromiseDropIn["PoolConnection"] = promiseDropIn.PoolConnection;
export const raw: PromiseDropIn["raw"] = promiseDropIn.raw;
export const Types: PromiseDropIn["Types"] = promiseDropIn.Types;

// as `mysql2/promise` gives itself
// biome-ignore lint/style/noDefaultExport: the module that it stands in for has one
export { promiseDropIn as "module.exports", promiseDropIn as default };
