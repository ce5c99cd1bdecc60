import mariadb from "mariadb";
import type { Answer, Peer, PeerOptions } from "./query.ts";

/** As the others read: MySQL gives a `SELECT 1` as a big integer. */
const READING = { bigIntAsNumber: true } as const;

/** The pool of MariaDB's own library, on one address. */
export function openMariadb({ urls, max }: PeerOptions): Peer {
  const pool = mariadb.createPool({ ...addressOf(urls[0] ?? ""), ...READING, connectionLimit: max });
  return {
    name: "mariadb pool",
    query: <Row>(text: string, values?: unknown[]) => pool.query(text, values).then(toAnswer<Row>),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

/** Its pools of all addresses: the first one in which a connection can be had answers. */
export function openMariadbCluster({ urls, max }: PeerOptions): Peer {
  const cluster = mariadb.createPoolCluster();
  for (const [index, url] of urls.entries())
    cluster.add(`node${index}`, { ...addressOf(url), ...READING, connectionLimit: max });
  const pool = cluster.of("^node", "ORDER");
  return {
    name: "mariadb PoolCluster",
    query: <Row>(text: string, values?: unknown[]) => pool.query(text, values).then(toAnswer<Row>),
    [Symbol.asyncDispose]: () => cluster.end(),
  };
}

function toAnswer<Row>(answer: Row[] | mariadb.UpsertResult): Answer<Row> {
  if (Array.isArray(answer)) return { rows: answer, rowCount: answer.length };
  return { rows: [], rowCount: answer.affectedRows };
}

/** What the library takes in place of a URL. */
export function addressOf(
  url: string,
): Required<
  Pick<mariadb.ConnectionConfig, "host" | "port" | "user" | "password" | "database" | "allowPublicKeyRetrieval">
> {
  const { hostname: host, port, username: user, password, pathname } = new URL(url);
  // MySQL's login asks for it where there is no TLS
  return { host, port: Number(port), user, password, database: pathname.slice(1), allowPublicKeyRetrieval: true };
}
