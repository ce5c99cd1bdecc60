import pg from "pg";
import { MAX } from "../failover/contestants.ts";
import { openAwsWrapper } from "../peers/aws-wrapper.ts";
import { openPgPool } from "../peers/pg.ts";
import { openPostgresJs } from "../peers/postgres-js.ts";
import type { System } from "./system.ts";

/** `pg.Pool` does not follow a primary: its address is moved for it, as a load balancer would. */
export const failoverOnPostgres: System["failover"] = {
  tables: [
    "CREATE TABLE event (token text PRIMARY KEY, server int NOT NULL DEFAULT inet_server_port())",
    "CREATE TABLE promoted (at timestamptz NOT NULL DEFAULT clock_timestamp())",
    "GRANT ALL ON event, promoted TO app",
  ],
  writePromoted: "INSERT INTO promoted DEFAULT VALUES",
  async connect(url) {
    const client = new pg.Client(url);
    client.on("error", () => {});
    await client.connect();
    return {
      query: <Row>(text: string, values?: unknown[]) => client.query<Row & pg.QueryResultRow>(text, values),
      [Symbol.asyncDispose]: () => client.end(),
    };
  },
  peers: [
    {
      name: "pg.Pool, its address moved",
      open: async ({ virtualUrl }) => openPgPool({ urls: [virtualUrl], max: MAX }),
    },
    { name: "postgres.js, all addresses", open: async ({ urls }) => openPostgresJs({ urls, max: MAX }) },
    { name: "aws-advanced-nodejs-wrapper", open: async ({ urls }) => openAwsWrapper({ urls, max: MAX }) },
  ],
};
