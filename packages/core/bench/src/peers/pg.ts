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

/** The same, with a name for each text: what preparing alone is worth, and as much as a pool could add to it. */
export function openNamedPgPool({ urls, max }: PeerOptions): Peer {
  const pool = new pg.Pool({ connectionString: urls[0], max });
  pool.on("error", () => {});
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    const name = names.get(text) ?? `statement_${names.size}`;
    names.set(text, name);
    return name;
  };
  return {
    name: "pg.Pool, named",
    query: <Row>(text: string, values: unknown[] = []) =>
      pool.query<Row & pg.QueryResultRow>({ name: nameOf(text), text, values }),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
