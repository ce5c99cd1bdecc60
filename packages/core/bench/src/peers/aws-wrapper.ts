import { EventEmitter } from "node:events";
import { AwsPgPoolClient } from "aws-advanced-nodejs-wrapper/pg";
import type { Answer, Peer, PeerOptions } from "./query.ts";

/** With its default plugins, of which one follows the primary. It leaves listeners on its connections, and Node warns of that. */
export function openAwsWrapper({ urls, max }: PeerOptions): Peer {
  EventEmitter.defaultMaxListeners = 0;
  const { username, password, pathname, hostname, port } = new URL(urls[0] ?? "");
  const host = urls.length === 1 ? hostname : urls.map((url) => new URL(url).host).join(",");
  const config = { host, port: Number(port), user: username, password, database: pathname.slice(1), dialect: "pg" };
  const pool = new AwsPgPoolClient(config, { maxConnections: max });
  return {
    name: "aws-advanced-nodejs-wrapper",
    query: <Row>(text: string, values: unknown[] = []) => pool.query(text, values) as Promise<Answer<Row>>,
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
