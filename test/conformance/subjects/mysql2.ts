import type { Pool, PoolConnection, RowDataPacket } from "mysql2/promise";
import type { Order, Sample, Scope, Subject } from "../subject.ts";

/** What runs a statement: the pool, or a connection in a transaction. */
type Runner = Pick<Pool, "query" | "execute">;

/** What an application does with `mysql2` alone. */
export function mysql2Subject(pool: Pool): Subject {
  let isClosed = false;
  return {
    ...statementsOf(pool),
    transaction: async (work) => {
      const connection = await pool.getConnection();
      try {
        return await transact(connection, work);
      } finally {
        connection.release();
      }
    },
    roundTrip: async ({ id, large, exact, moment, document, bytes, tags }) => {
      const values = [id, String(large), exact, moment, JSON.stringify(document), Buffer.from(bytes, "hex")];
      await pool.query("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?)", [...values, JSON.stringify(tags)]);
      const [rows] = await pool.execute<RowDataPacket[]>("SELECT * FROM samples WHERE id = ?", [id]);
      const [row] = rows;
      return row && { ...(row as Sample), large: BigInt(row["large"]), bytes: row["bytes"].toString("hex") };
    },
    stream: (fromId) => streamOrders(pool, fromId),
    migrate: () => migrate(pool),
    tables: async () => {
      const text = "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()";
      return (await rowsOf(pool, text)).map(({ name }) => name as string);
    },
    giveUp: (sql, timeout) => pool.query({ sql, timeout }),
    close: async () => {
      if (!isClosed) await pool.end();
      isClosed = true;
    },
  };
}

async function rowsOf(
  runner: Runner,
  sql: string,
  values?: (string | number)[],
): Promise<Readonly<Record<string, unknown>>[]> {
  const [rows] = await runner.query<RowDataPacket[]>(sql, values);
  return rows;
}

function statementsOf(runner: Runner): Omit<Scope, "transaction"> {
  return {
    insert: ({ id, item }) => runner.execute("INSERT INTO orders VALUES (?, ?)", [id, item]),
    find: async (id) => {
      const [order] = await rowsOf(runner, "SELECT id, item FROM orders WHERE id = ?", [id]);
      return order as Order | undefined; // its two columns
    },
    raw: (sql) => rowsOf(runner, sql),
  };
}

/** As every application on `mysql2` writes it, once. */
async function transact<T>(connection: PoolConnection, work: (scope: Scope) => Promise<T>): Promise<T> {
  await connection.beginTransaction();
  try {
    const value = await work(scopeOf(connection, 1));
    await connection.commit();
    return value;
  } catch (error) {
    await connection.rollback().catch(() => {}); // the first error is the one that counts
    throw error;
  }
}

function scopeOf(connection: PoolConnection, depth: number): Scope {
  return {
    ...statementsOf(connection),
    transaction: async (work) => {
      await connection.query(`SAVEPOINT s${depth}`);
      try {
        const value = await work(scopeOf(connection, depth + 1));
        await connection.query(`RELEASE SAVEPOINT s${depth}`);
        return value;
      } catch (error) {
        await connection.query(`ROLLBACK TO SAVEPOINT s${depth}`);
        throw error;
      }
    },
  };
}

async function* streamOrders(pool: Pool, fromId: number): AsyncIterable<Order> {
  yield* pool.pool.query("SELECT id, item FROM orders WHERE id >= ? ORDER BY id", [fromId]).stream();
}

const MIGRATIONS = ["CREATE TABLE shelf (id int)", "ALTER TABLE shelf ADD label text"];

async function migrate(pool: Pool): Promise<void> {
  await pool.query("CREATE TABLE IF NOT EXISTS schema_migrations (version int PRIMARY KEY)");
  for (const [version, text] of MIGRATIONS.entries()) {
    const done = await rowsOf(pool, "SELECT 1 FROM schema_migrations WHERE version = ?", [version]);
    if (done.length > 0) continue;
    await pool.query(text);
    await pool.query("INSERT INTO schema_migrations VALUES (?)", [version]);
  }
}
