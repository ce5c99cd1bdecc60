import type { Pool, PoolClient, QueryResultRow } from "pg";
import QueryStream from "pg-query-stream";
import type { Order, Scope, Subject } from "../subject.ts";

/** What runs a statement: the pool, or a client in a transaction. */
type Runner = Pick<Pool, "query">;

/** What an application does with `pg` alone. */
export function pgSubject(pool: Pool): Subject {
  const { insert, find, raw } = statementsOf(pool);
  return {
    insert,
    find,
    raw,
    transaction: async (work) => {
      const client = await pool.connect();
      try {
        return await transact(client, work);
      } finally {
        client.release();
      }
    },
    roundTrip: async ({ id, large, exact, moment, document, bytes, tags }) => {
      const values = [id, large, exact, moment, JSON.stringify(document), Buffer.from(bytes, "hex"), tags];
      await pool.query("INSERT INTO samples VALUES ($1, $2, $3, $4, $5, $6, $7)", values);
      const { rows } = await pool.query("SELECT * FROM samples WHERE id = $1", [id]);
      const [row] = rows;
      return row && { ...row, large: BigInt(row.large), bytes: row.bytes.toString("hex") };
    },
    stream: (fromId) => streamOrders(pool, fromId),
    migrate: () => migrate(pool),
    tables: async () => {
      const text = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()";
      return (await pool.query(text)).rows.map(({ table_name }) => table_name);
    },
    giveUp: (text, afterMs) => {
      const config = { text, query_timeout: afterMs };
      return pool.query(config);
    },
    close: async () => {
      if (!pool.ended) await pool.end();
    },
  };
}

function statementsOf(runner: Runner): Omit<Scope, "transaction"> {
  return {
    insert: ({ id, item }) => runner.query("INSERT INTO orders VALUES ($1, $2)", [id, item]),
    find: async (id) => (await runner.query<Order>("SELECT id, item FROM orders WHERE id = $1", [id])).rows[0],
    raw: async (text) => (await runner.query<QueryResultRow>(text)).rows,
  };
}

/** As every application on `pg` writes it, once. */
async function transact<T>(client: PoolClient, work: (scope: Scope) => Promise<T>): Promise<T> {
  await client.query("BEGIN");
  try {
    const value = await work(scopeOf(client, 1));
    const { command } = await client.query("COMMIT");
    if (command === "ROLLBACK") throw Object.assign(new Error("rolled back"), { code: "TRANSACTION_ABORTED" });
    return value;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {}); // the first error is the one that counts
    throw error;
  }
}

function scopeOf(client: PoolClient, depth: number): Scope {
  return {
    ...statementsOf(client),
    transaction: async (work) => {
      await client.query(`SAVEPOINT s${depth}`);
      try {
        const value = await work(scopeOf(client, depth + 1));
        await client.query(`RELEASE SAVEPOINT s${depth}`);
        return value;
      } catch (error) {
        await client.query(`ROLLBACK TO SAVEPOINT s${depth}`);
        throw error;
      }
    },
  };
}

async function* streamOrders(pool: Pool, fromId: number): AsyncIterable<Order> {
  const client = await pool.connect();
  try {
    yield* client.query(new QueryStream("SELECT id, item FROM orders WHERE id >= $1 ORDER BY id", [fromId]));
  } finally {
    client.release();
  }
}

const MIGRATIONS = ["CREATE TABLE shelf (id int)", "ALTER TABLE shelf ADD label text"];

async function migrate(pool: Pool): Promise<void> {
  await pool.query("CREATE TABLE IF NOT EXISTS schema_migrations (version int PRIMARY KEY)");
  for (const [version, text] of MIGRATIONS.entries()) {
    const { rowCount } = await pool.query("SELECT 1 FROM schema_migrations WHERE version = $1", [version]);
    if (rowCount !== 0) continue;
    const client = await pool.connect();
    try {
      await transact(client, async () => {
        await client.query(text);
        await client.query("INSERT INTO schema_migrations VALUES ($1)", [version]);
      });
    } finally {
      client.release();
    }
  }
}
