import { createPool, type FailoverPool, type PoolOptions } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import { createConnection } from "mysql2/promise";
import { onTestFinished } from "vitest";

export type Kind = "mariadb" | "mysql";

export const KINDS: readonly Kind[] = ["mariadb", "mysql"];

/** An ordinary user may make triggers and functions on a server with a binary log. */
const SETTINGS = { log_bin_trust_function_creators: "1", event_scheduler: "OFF", max_allowed_packet: "1073741824" };

export const startCluster = (server: Kind, mirrors: number): Promise<LabCluster> =>
  createCluster({ server, mirrors, settings: SETTINGS });

export const poolOf = (cluster: LabCluster): PoolOptions => ({
  driver: mysql(),
  nodes: cluster.nodes.map(({ name, url }) => ({ name, url })),
});

/** A pool that is closed when the test ends. */
export function openPool(cluster: LabCluster): FailoverPool {
  const pool = createPool(poolOf(cluster));
  onTestFinished(() => pool.close());
  return pool;
}

/** Runs statements one after the other on the primary, as the application's user, in one session. */
export async function run(cluster: LabCluster, ...statements: readonly string[]): Promise<void> {
  await using pool = createPool(poolOf(cluster));
  await using session = await pool.connect();
  await session.query(
    "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES', time_zone = '+00:00'",
  );
  for (const statement of statements) await session.query(statement, [], { timeoutMs: 60_000 });
}

type Row = Readonly<Record<string, string>>;

const quote = (name: string): string => `\`${name.replaceAll("`", "``")}\``;

/** All that is in the application's database goes. */
export async function clear(cluster: LabCluster): Promise<void> {
  const on = await createConnection(cluster.primary().directUrl);
  try {
    await on.query("DROP DATABASE app");
    await on.query("CREATE DATABASE app");
  } finally {
    await on.end();
  }
}

const COLUMNS = `
SELECT TABLE_NAME AS name, JSON_ARRAYAGG(CONCAT(IF(DATA_TYPE = 'geometry', 'g', 'b'), COLUMN_NAME)) AS columns FROM information_schema.COLUMNS
 WHERE TABLE_SCHEMA = 'app' AND TABLE_NAME IN (SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'app' AND TABLE_TYPE = 'BASE TABLE')
   AND TABLE_NAME NOT LIKE 'mirrorpool%'
 GROUP BY TABLE_NAME`;

/** Of each table of the application how many rows it has, and a digest of all their values, those that the server computes included. */
export async function contents(cluster: LabCluster): Promise<Readonly<Record<string, unknown>>> {
  const node = cluster.primary();
  const found: Record<string, unknown> = {};
  for (const { name = "", columns } of await node.query<Row>(COLUMNS)) {
    const list = (typeof columns === "string" ? JSON.parse(columns) : columns) as readonly string[];
    const values = [...list].sort().map((column) => {
      const of = quote(column.slice(1));
      return `IFNULL(HEX(${column.startsWith("g") ? of : `CAST(${of} AS BINARY)`}), 'N')`;
    });
    const [row] = await node.query(
      `SELECT COUNT(*) AS count, SUM(CAST(CONV(LEFT(hash, 15), 16, 10) AS UNSIGNED)) AS sum FROM (SELECT SHA2(CONCAT_WS(',', ${values.join(", ")}), 256) AS hash FROM app.${quote(name)}) AS hashes`,
    );
    found[name] = { ...row };
  }
  return found;
}

const OBJECTS: readonly (readonly [what: string, column: string, names: string])[] = [
  ["TABLE", "Create Table", "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'app' AND TABLE_TYPE = 'BASE TABLE'"],
  ["VIEW", "Create View", "SELECT TABLE_NAME AS name FROM information_schema.VIEWS WHERE TABLE_SCHEMA = 'app'"],
  ["FUNCTION", "Create Function", "SELECT ROUTINE_NAME AS name FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'app' AND ROUTINE_TYPE = 'FUNCTION'"],
  ["PROCEDURE", "Create Procedure", "SELECT ROUTINE_NAME AS name FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'app' AND ROUTINE_TYPE = 'PROCEDURE'"],
  ["TRIGGER", "SQL Original Statement", "SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'app'"],
  ["EVENT", "Create Event", "SELECT EVENT_NAME AS name FROM information_schema.EVENTS WHERE EVENT_SCHEMA = 'app'"],
]; // biome-ignore format: a table

/** What the server says of each definition; the lines of a table sorted, since indexes may stand in another order. */
export async function definitions(cluster: LabCluster): Promise<Readonly<Record<string, unknown>>> {
  const node = cluster.primary();
  const found: Record<string, unknown> = {};
  for (const [what, column, names] of OBJECTS) {
    for (const { name = "" } of await node.query<Row>(names)) {
      const [row] = await node.query<Row>(`SHOW CREATE ${what} app.${quote(name)}`);
      const text = row?.[column] ?? "";
      const lines = text.split(",\n").map((line) => line.replace(/\n\).*/s, ""));
      found[`${what} ${name}`] = [
        what === "TABLE" ? lines.sort() : text,
        row?.["sql_mode"],
        row?.["collation_connection"],
      ];
    }
  }
  return found;
}
