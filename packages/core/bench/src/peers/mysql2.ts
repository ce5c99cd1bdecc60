import mysql from "mysql2/promise";
import type { Answer, Peer, PeerOptions } from "./query.ts";

/** The bare pool of its promise API, on one address. */
export function openMysql2({ urls, max }: PeerOptions): Peer {
  const pool = mysql.createPool({ uri: urls[0] ?? "", connectionLimit: max });
  return {
    name: "mysql2 pool",
    query: <Row>(text: string, values?: unknown[]) => pool.query(text, values).then(toAnswer<Row>),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

/** Its pools of all addresses: the first one in which a connection can be had answers. */
export function openMysql2Cluster({ urls, max }: PeerOptions): Peer {
  const cluster = mysql.createPoolCluster({ restoreNodeTimeout: 100 });
  for (const [index, uri] of urls.entries()) cluster.add(`node${index}`, { uri, connectionLimit: max });
  const pool = cluster.of("node*", "ORDER");
  return {
    name: "mysql2 PoolCluster",
    query: <Row>(text: string, values?: unknown[]) => pool.query(text, values).then(toAnswer<Row>),
    [Symbol.asyncDispose]: () => cluster.end(),
  };
}

/** As it answers a query. */
export function toAnswer<Row>([answer]: [mysql.QueryResult, unknown]): Answer<Row> {
  if (Array.isArray(answer)) return { rows: answer as Row[], rowCount: answer.length };
  return { rows: [], rowCount: answer.affectedRows };
}
