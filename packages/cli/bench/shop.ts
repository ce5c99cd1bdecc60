import type { LabNode } from "@mirrorpool/lab";

export const TABLES: readonly string[] = ["customer", "purchase", "keyless"];

export const SCHEMA: readonly string[] = [
  "CREATE TABLE customer (id int PRIMARY KEY, name text)",
  "CREATE TABLE purchase (id int PRIMARY KEY, customer int REFERENCES customer, body text)",
  "CREATE TABLE keyless (n int)",
];

/** Three tables with about 80 MB of rows, of the application's. */
export async function fillShop(node: LabNode): Promise<void> {
  for (const text of SCHEMA) await node.query(text);
  await node.query("INSERT INTO customer SELECT n, 'name ' || n FROM generate_series(1, 50000) n");
  await node.query(
    "INSERT INTO purchase SELECT n, n % 50000 + 1, repeat(md5(n::text), n % 20) FROM generate_series(1, 400000) n",
  );
  await node.query("INSERT INTO keyless SELECT n % 7 FROM generate_series(1, 100000) n");
  for (const table of TABLES) await node.query(`ALTER TABLE ${table} OWNER TO app`);
  await node.query("ANALYZE");
}

/** All rows, and how many constraints there are: equal where two are. */
export async function contentOf(node: LabNode): Promise<string> {
  const parts = TABLES.map(
    (table) => `(SELECT count(*) || md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM ${table} AS t)`,
  );
  const sql = `SELECT ${parts.join(" || ")} || (SELECT count(*) FROM pg_constraint WHERE conrelid::regclass::text IN (${TABLES.map((table) => `'${table}'`).join(", ")})) AS content`;
  return JSON.stringify(await node.query(sql));
}
