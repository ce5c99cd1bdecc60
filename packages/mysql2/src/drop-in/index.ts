/** Stands in for the whole module `mysql2`: the same exports, with pools and connections on a failover pool. */
import { createDropIn, type DropIn } from "./create-drop-in.ts";

const dropIn: DropIn = createDropIn();

export const authPlugins: DropIn["authPlugins"] = dropIn.authPlugins;
export const Charsets: DropIn["Charsets"] = dropIn.Charsets;
export const CharsetToEncoding: DropIn["CharsetToEncoding"] = dropIn.CharsetToEncoding;
export const connect: DropIn["connect"] = dropIn.connect;
export const Connection: DropIn["Connection"] = dropIn.Connection;
export const createConnection: DropIn["createConnection"] = dropIn.createConnection;
export const createConnectionPromise: DropIn["createConnectionPromise"] = dropIn.createConnectionPromise;
export const createPool: DropIn["createPool"] = dropIn.createPool;
export const createPoolCluster: DropIn["createPoolCluster"] = dropIn.createPoolCluster;
export const createPoolClusterPromise: DropIn["createPoolClusterPromise"] = dropIn.createPoolClusterPromise;
export const createPoolPromise: DropIn["createPoolPromise"] = dropIn.createPoolPromise;
const escapeValue: DropIn["escape"] = dropIn.escape;

export { escapeValue as escape };
export const escapeId: DropIn["escapeId"] = dropIn.escapeId;
export const format: DropIn["format"] = dropIn.format;
export const PoolConnection: DropIn["PoolConnection"] = dropIn.PoolConnection;
export const raw: DropIn["raw"] = dropIn.raw;
export const Types: DropIn["Types"] = dropIn.Types;

// `require()` gets the module itself, which is what it gets from `mysql2`; so does `import mysql from`
// biome-ignore lint/style/noDefaultExport: the module that it stands in for has one
export { dropIn as "module.exports", dropIn as default };
