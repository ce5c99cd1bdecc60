import type mysql2 from "mysql2";
import type promises from "mysql2/promise";

/** The module, or what stands in for it, and where the server is. */
export interface Kit {
  readonly mysql: Pick<typeof mysql2, "createConnection" | "createPool" | "createPoolCluster">;
  readonly promises: Pick<typeof promises, "createConnection" | "createPool" | "createPoolCluster">;
  readonly at: { readonly uri: string };
}

export type Log = (...seen: unknown[]) => void;

/** Whatever an application may do; the module and what stands in for it must show it the same. */
export type Script = (kit: Kit, log: Log) => Promise<unknown>;

export const settled = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

/** What a callback was called with. */
export function called(begin: (callback: (...args: unknown[]) => void) => unknown): Promise<unknown> {
  return new Promise((resolve) => begin((...args) => resolve(args)));
}

/** What an application can see of a value, without what no two connections have in common. */
export function show(seen: unknown): unknown {
  if (seen instanceof Error) {
    const { message, code, errno, sqlState, sqlMessage, sql } = seen as mysql2.QueryError & {
      sql?: string;
      sqlMessage?: string;
    };
    return { message, code, errno, sqlState, sqlMessage, sql };
  }
  if (Array.isArray(seen)) return seen.map(show);
  if (typeof seen === "object" && seen !== null && "columnType" in seen && "name" in seen) {
    const { name, columnType } = seen;
    return { column: name, columnType };
  }
  // as `mysql2` 3.11 answers from the namespace of a cluster by promise
  return typeof seen === "object" && seen !== null && "connection" in seen ? "a connection" : seen;
}
