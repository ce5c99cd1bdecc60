/** Stands in for the whole module `pg`: the same exports, with `Pool` and `Client` on a failover pool. */
import { createDropIn, type DropIn } from "./create-drop-in.ts";

const dropIn: DropIn = createDropIn();

export const Client: DropIn["Client"] = dropIn.Client;
export const Connection: DropIn["Connection"] = dropIn.Connection;
export const DatabaseError: DropIn["DatabaseError"] = dropIn.DatabaseError;
export const defaults: DropIn["defaults"] = dropIn.defaults;
export const escapeIdentifier: DropIn["escapeIdentifier"] = dropIn.escapeIdentifier;
export const escapeLiteral: DropIn["escapeLiteral"] = dropIn.escapeLiteral;
export const native: undefined = dropIn.native;
export const Pool: DropIn["Pool"] = dropIn.Pool;
export const Query: DropIn["Query"] = dropIn.Query;
export const Result: DropIn["Result"] = dropIn.Result;
export const TypeOverrides: DropIn["TypeOverrides"] = dropIn.TypeOverrides;
export const types: DropIn["types"] = dropIn.types;

// `require()` gets the module itself, which is what it gets from `pg`; so does `import pg from`
// biome-ignore lint/style/noDefaultExport: the module that it stands in for has one
export { dropIn as "module.exports", dropIn as default };
