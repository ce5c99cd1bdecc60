import { createConnection } from "mysql2/promise";
import { Client } from "pg";

/** Rows of one statement. */
const BATCH = 1000;

type Row = readonly (string | null)[];

/** How one writes this by hand: rows by SELECT, in the order of their key, and INSERTs of many rows. */
interface Side {
  read(table: string, after: number, to: number): Promise<readonly Row[]>;
  write(table: string, rows: readonly Row[]): Promise<void>;
  end(): Promise<void>;
}

// values as texts, so that nothing is lost: slower ways to do it are known
const asText = { getTypeParser: () => (text: string) => text } as never;

async function openPostgres(url: string): Promise<Side> {
  const client = new Client({ connectionString: url, types: asText });
  await client.connect();
  await client.query("SET timezone = 'UTC'");
  return {
    read: async (table, after, to) => {
      const text = `SELECT * FROM ${table} WHERE id > $1 AND id <= $2 ORDER BY id LIMIT ${BATCH}`;
      return (await client.query<never[]>({ text, values: [after, to], rowMode: "array" })).rows as never;
    },
    write: async (table, rows) => {
      const width = rows[0]?.length ?? 0;
      const tuples = rows.map((row, index) => `(${row.map((_, place) => `$${index * width + place + 1}`).join(", ")})`);
      await client.query({ text: `INSERT INTO ${table} VALUES ${tuples.join(", ")}`, values: rows.flat() });
    },
    end: () => client.end(),
  };
}

async function openMysql(url: string): Promise<Side> {
  const connection = await createConnection({ uri: url, charset: "utf8mb4" });
  await connection.query("SET time_zone = '+00:00'");
  return {
    read: async (table, after, to) => {
      const sql = `SELECT * FROM ${table} WHERE id > ? AND id <= ? ORDER BY id LIMIT ${BATCH}`;
      const typeCast = (field: { string(): string | null }): string | null => field.string();
      const [rows] = await connection.query({ sql, values: [after, to], rowsAsArray: true, typeCast });
      return rows as never;
    },
    write: async (table, rows) => {
      await connection.query(`INSERT INTO ${table} VALUES ?`, [rows.map((row) => row.map(toMysql))]);
    },
    end: () => connection.end(),
  };
}

const INSTANT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+00$/;

/** What PostgreSQL writes in words that MariaDB does not know. */
function toMysql(text: string | null): string | null {
  if (text === "t") return "1";
  if (text === "f") return "0";
  return text !== null && INSTANT.test(text) ? text.slice(0, -3) : text;
}

const open = (url: string): Promise<Side> => (url.startsWith("postgres") ? openPostgres(url) : openMysql(url));

const [from = "", to = "", table = "", last = "", connections = "2"] = process.argv.slice(2);
const share = Math.ceil(Number(last) / Number(connections));
await Promise.all(
  Array.from({ length: Number(connections) }, async (_, index) => {
    const [source, target] = [await open(from), await open(to)];
    const end = (index + 1) * share;
    for (let after = index * share; after < end; ) {
      const rows = await source.read(table, after, end);
      if (rows.length === 0) break;
      await target.write(table, rows);
      after = Number(rows.at(-1)?.[0]);
    }
    await Promise.all([source.end(), target.end()]);
  }),
);
