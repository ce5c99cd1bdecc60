import type { LabNode } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import pg from "pg";
import { until } from "../../failover/support/until.ts";
import type { Database, Gate } from "../database.ts";
import { HELD, HELD_AT_COMMIT, STREAM_FROM, STREAM_ROWS } from "../orders.ts";

export const onPostgres: Database = {
  server: "postgres",
  settings: {},
  driver: () => postgres(),
  schema: [
    `CREATE TABLE orders (id int PRIMARY KEY, item text NOT NULL);
    CREATE TABLE samples (
      id int PRIMARY KEY, large bigint NOT NULL, exact numeric(30, 10) NOT NULL, moment timestamptz NOT NULL,
      document jsonb NOT NULL, bytes bytea NOT NULL, tags text[] NOT NULL
    );
    CREATE TABLE seats (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);
    CREATE FUNCTION pass_gate() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END';
    CREATE TRIGGER held BEFORE INSERT ON orders FOR EACH ROW
      WHEN (NEW.item = '${HELD}') EXECUTE FUNCTION pass_gate();
    CREATE CONSTRAINT TRIGGER held_at_commit AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
      WHEN (NEW.item = '${HELD_AT_COMMIT}') EXECUTE FUNCTION pass_gate();
    INSERT INTO orders SELECT ${STREAM_FROM} + n, repeat('x', 100) FROM generate_series(0, ${STREAM_ROWS - 1}) AS n;`,
  ],
  putOrder: (id, item) =>
    `INSERT INTO orders VALUES (${id}, '${item}') ON CONFLICT (id) DO UPDATE SET item = '${item}'`,
  makeTable: (name) => `CREATE TABLE ${name} (id int); GRANT SELECT ON ${name} TO app`,
  dropTable: (name) => `DROP TABLE "${name}" CASCADE`,
  tables: "SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
  sleep: (seconds) => `pg_sleep(${seconds})::text`,
  sessionId: "pg_backend_pid()",
  rawWrite: (id) => `WITH made AS (INSERT INTO orders VALUES (${id}, 'made') RETURNING id) SELECT id FROM made`,
  uniqueViolation: "23505",
  errorsAbort: true,
  holdWrites: shutGate,
  holdCommits: (cluster) => shutGate(cluster.primary()),
  // such a lock travels with the WAL
  holdReads: async (cluster) => {
    const lock = "BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SELECT pg_switch_wal()";
    const gate = await hold(cluster.primary(), lock);
    for (const mirror of cluster.mirrors()) {
      await until("the lock to arrive", async () => {
        const sql = "SELECT FROM pg_locks WHERE relation = 'orders'::regclass AND mode = 'AccessExclusiveLock'";
        return (await mirror.query(sql)).length > 0;
      });
    }
    return gate;
  },
  held: "SELECT count(*)::int AS count FROM pg_stat_activity WHERE usename = 'app' AND wait_event_type = 'Lock'",
  sessions: (name) => `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = '${name}'`,
};

function shutGate(node: LabNode): Promise<Gate> {
  return hold(node, "SELECT pg_advisory_lock(1)");
}

async function hold(node: LabNode, sql: string): Promise<Gate> {
  const client = new pg.Client({ connectionString: node.adminUrl });
  client.on("error", () => {}); // the server may be killed under it
  await client.connect();
  await client.query(sql);
  return { open: () => client.end().catch(() => {}) };
}
