import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { type Connection, createConnection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inspect } from "../../src/index.ts";
import { PRIMARY_FUNCTIONS, READ_FUNCTIONS } from "../../src/mysql/functions.ts";

let cluster: LabCluster;
let session: Connection;
let witness: Connection;

beforeAll(async () => {
  cluster = await createCluster({ server: "mariadb", mirrors: 0 });
  const uri = cluster.primary().url;
  session = await createConnection({ uri, multipleStatements: true });
  witness = await createConnection({ uri });
  await session.query(`
    CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE v (id int); CREATE PROCEDURE p() SELECT 1;
    CREATE PROCEDURE pc() COMMIT
  `);
});

afterAll(async () => {
  session?.destroy();
  witness?.destroy();
  await cluster?.close();
});

const run = (sql: string): Promise<boolean> =>
  session.query(sql).then(
    () => true,
    () => false,
  );

test.each([
  ...[
    "BEGIN",
    "START TRANSACTION READ ONLY",
    "SET autocommit = 1",
    "SET autocommit = 0",
    "SAVEPOINT a",
    "USE app",
    "DO 1",
  ],
  ...["LOCK TABLES v READ", "UNLOCK TABLES", "FLUSH TABLES", "FLUSH STATUS", "CHECKSUM TABLE v", "CHECK TABLE v"],
  ...["CREATE TABLE IF NOT EXISTS x (a int)", "CREATE TEMPORARY TABLE y (a int)", "DROP TEMPORARY TABLE y"],
  ...["DROP TABLE x", "DROP TABLE missing", "ALTER TABLE v ADD b int", "CREATE INDEX i ON v (b)", "TRUNCATE v"],
  ...["ANALYZE TABLE v", "OPTIMIZE TABLE v", "REPAIR TABLE v", "RENAME TABLE v TO w, w TO v", "CREATE SEQUENCE s"],
  ...["ALTER SEQUENCE s RESTART", "DROP SEQUENCE s", "CREATE VIEW z AS SELECT 1", "DROP VIEW z"],
  ...["CREATE TRIGGER tt BEFORE INSERT ON v FOR EACH ROW SET @a = 1", "DROP TRIGGER tt", "DROP PROCEDURE p"],
  ...[
    "CALL pc()",
    "HANDLER v OPEN",
    "HANDLER v CLOSE",
    "PREPARE s FROM 'SELECT 1'",
    "EXECUTE s",
    "DEALLOCATE PREPARE s",
  ],
  ...[
    "SET NAMES utf8mb4",
    "SET ROLE NONE",
    "SET @a = 1",
    "SELECT 1 INTO @a",
    "SHOW TABLES",
    "DESC t",
    "EXPLAIN SELECT 1",
  ],
  ...["ANALYZE SELECT 1", "KILL QUERY 999999", "GET DIAGNOSTICS @a = NUMBER", "EXECUTE IMMEDIATE 'COMMIT'"],
  ...[
    "BEGIN NOT ATOMIC COMMIT; END",
    "SET GLOBAL long_query_time = 10",
    "SET PASSWORD FOR x@y = 'z'",
    "COMMIT AND CHAIN",
  ],
  ...["FROB THE KNOB", "CREATE TABLE", "SELECT 1; COMMIT", "INSERT INTO v VALUES (1)", "DELETE FROM v"],
])("whether the server commits what is open is known of %s", async (sql) => {
  await run("ROLLBACK");
  await run("SET autocommit = 1; UNLOCK TABLES");
  await witness.query("DELETE FROM t");
  await run("BEGIN; INSERT INTO t VALUES (1)");
  const error: { errno?: number } = await session.query(sql).then(
    () => ({}),
    (thrown: { errno: number }) => thrown,
  );
  const [rows] = await witness.query("SELECT id FROM t");
  const isCommitted = (rows as unknown[]).length === 1;
  const { implicitCommit = false, transaction } = inspect(sql, "mysql");
  // one that is no command, or has a mistake, does nothing
  if (error.errno === 1064) expect(isCommitted).toBe(false);
  else if (!["mixed", "chain", "commit"].includes(transaction)) expect(implicitCommit).toBe(isCommitted);
});

/** Built-in functions of MySQL 9 that MariaDB 10.11 has not got. */
const OF_MYSQL: ReadonlySet<string> = new Set(
  [
    "any_value bin_to_uuid format_bytes format_pico_time geometrycollection grouping gtid_subset gtid_subtract is_uuid",
    "json_schema_valid json_schema_validation_report json_storage_free json_storage_size linestring mbrcoveredby mbrcovers",
    "multilinestring multipoint multipolygon point polygon ps_current_thread_id ps_thread_id regexp_like source_pos_wait",
    "st_buffer_strategy st_collect st_frechetdistance st_geohash st_hausdorffdistance st_isvalid st_latfromgeohash",
    "st_latitude st_longfromgeohash st_longitude st_makeenvelope st_pointfromgeohash st_simplify st_swapxy st_transform",
    "st_validate uuid_to_bin wait_for_executed_gtid_set",
  ].flatMap((line) => line.split(" ")),
);

test("the functions that are called harmless are built in", async () => {
  for (const name of [...READ_FUNCTIONS, ...PRIMARY_FUNCTIONS]) {
    const errno: number | undefined = await session.query(`SELECT ${name}()`).then(
      () => undefined,
      (thrown: { errno: number }) => thrown.errno,
    );
    expect(errno === 1305, name).toBe(OF_MYSQL.has(name)); // no such function
  }
});
