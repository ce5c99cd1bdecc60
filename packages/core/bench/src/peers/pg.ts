import pg from "pg";
import type { Peer, PeerOptions } from "./query.ts";

/** The bare pool, on one address. */
export function openPgPool({ urls, max }: PeerOptions): Peer {
  const pool = new pg.Pool({ connectionString: urls[0], max });
  // without a listener a lost connection that is idle would end the process
  pool.on("error", () => {});
  return {
    name: "pg.Pool",
    query: <Row>(text: string, values?: unknown[]) => pool.query<Row & pg.QueryResultRow>(text, values),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
