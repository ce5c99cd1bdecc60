import type { LabNode, ServerKind } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import { createConnection } from "mysql2/promise";
import type { Database, Gate } from "../database.ts";
import { HELD, STREAM_FROM, STREAM_ROWS } from "../orders.ts";

const HOLD_S = 120;

export const onMysql = (server: ServerKind): Database => ({
  server,
  // the application's own role makes the trigger
  settings: { log_bin_trust_function_creators: "1" },
  driver: () => mysql({ supportBigNumbers: true, timezone: "Z" }),
  schema: [
    "CREATE TABLE orders (id int PRIMARY KEY, item varchar(200) NOT NULL)",
    `CREATE TABLE samples (
      id int PRIMARY KEY, large bigint NOT NULL, exact decimal(30, 10) NOT NULL, moment datetime(3) NOT NULL,
      document json NOT NULL, bytes blob NOT NULL, tags json NOT NULL
    )`,
    `CREATE FUNCTION make_order(given int) RETURNS int MODIFIES SQL DATA
      BEGIN
        INSERT INTO orders VALUES (given, 'made');
        RETURN given;
      END`,
    `CREATE TRIGGER held BEFORE INSERT ON orders FOR EACH ROW
      IF NEW.item = '${HELD}' THEN
        DO GET_LOCK('gate', ${HOLD_S});
        DO RELEASE_LOCK('gate');
      END IF`,
    `INSERT INTO orders WITH RECURSIVE numbers (n) AS (
      SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 999
    ) SELECT ${STREAM_FROM} + n, repeat('x', 100) FROM numbers`,
    `INSERT INTO orders WITH RECURSIVE numbers (n) AS (
      SELECT 1000 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${STREAM_ROWS - 1}
    ) SELECT ${STREAM_FROM} + n, repeat('x', 100) FROM numbers`,
  ],
  putOrder: (id, item) => `INSERT INTO app.orders VALUES (${id}, '${item}') ON DUPLICATE KEY UPDATE item = '${item}'`,
  makeTable: (name) => `CREATE TABLE app.${name} (id int)`,
  dropTable: (name) => `DROP TABLE app.\`${name}\``,
  tables: "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'app'",
  sleep: (seconds) => `SLEEP(${seconds})`,
  sessionId: "CONNECTION_ID()",
  rawWrite: (id) => `SELECT make_order(${id}) AS id`,
  uniqueViolation: "ER_DUP_ENTRY",
  errorsAbort: false,
  holdWrites: (primary) => hold(primary, `SELECT GET_LOCK('gate', ${HOLD_S})`),
  // the primary waits for a mirror to have it
  holdCommits: async (cluster) => {
    const mirrors = cluster.mirrors();
    for (const mirror of mirrors) await mirror.replicate(false);
    return {
      open: async () => {
        // they begin, and need not find the primary: it may have been killed
        for (const mirror of mirrors) await mirror.replicate(true).catch(() => {});
      },
    };
  },
  holdReads: async (cluster) => {
    // on MySQL mirrors refuse even this to everybody
    const isStrict = server === "mysql";
    const gates = await Promise.all(
      cluster.mirrors().map(async (mirror) => {
        if (isStrict) await mirror.query("SET GLOBAL super_read_only = OFF");
        const gate = await hold(mirror, "LOCK TABLES app.orders WRITE");
        return { mirror, gate };
      }),
    );
    return {
      open: async () => {
        for (const { mirror, gate } of gates) {
          await gate.open();
          if (isStrict && mirror.isRunning) await mirror.query("SET GLOBAL super_read_only = ON");
        }
      },
    };
  },
  held: `SELECT count(*) AS count FROM information_schema.PROCESSLIST
    WHERE user = 'app' AND command <> 'Sleep' AND (state LIKE 'Waiting for%' OR state = 'User lock')`,
  // without performance_schema nobody is told of names; there is nobody else
  sessions: () => "SELECT count(*) AS count FROM information_schema.PROCESSLIST WHERE user = 'app'",
});

async function hold(node: LabNode, sql: string): Promise<Gate> {
  const connection = await createConnection(node.adminUrl);
  connection.on("error", () => {}); // the server may be killed under it
  await connection.query(sql);
  return { open: async () => connection.destroy() };
}
