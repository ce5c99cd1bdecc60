import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import mysql2 from "mysql2";
import { called, type Kit, type Script, settled } from "./scripts.ts";

/** Rows as they came, and the error that ended them. */
async function drain(rows: AsyncIterable<unknown>): Promise<unknown> {
  const seen: unknown[] = [];
  try {
    for await (const row of rows) seen.push(row);
  } catch (error) {
    return [seen, error];
  }
  return seen;
}

const file = (...lines: string[]): Readable => Readable.from(lines.map((line) => Buffer.from(line)));

/** A single connection, closed at the end. */
const connected =
  (
    script: (connection: mysql2.Connection, log: (...seen: unknown[]) => void, kit: Kit) => Promise<unknown>,
    options: mysql2.ConnectionOptions = {},
  ): Script =>
  async (kit, log) => {
    const connection = kit.mysql.createConnection({ ...kit.at, ...options });
    try {
      await script(connection, log, kit);
    } finally {
      await called((done) => connection.end(done));
    }
  };

/** What applications do with a single connection. */
export const connectionScripts: Readonly<Record<string, Script>> = {
  "a connection by callback": connected(async (connection, log) => {
    log(await called((done) => connection.connect(done)).then((args) => (args as unknown[])[0]));
    log(await called((done) => connection.query("SELECT ? AS one", [1], done)));
    log(await called((done) => connection.execute("SELECT ? + 0 AS one", [1], done)));
    log(await called((done) => connection.ping(done as never)));
    log(connection.config.database, typeof connection.threadId);
    log(connection.escape("it's"), connection.escapeId("a b"), connection.format("? ??", [1, "x"]));
  }),
  "a connection by its event": async ({ mysql, at }, log) => {
    const connection = mysql.createConnection(at.uri);
    await new Promise((resolve) => connection.once("connect", resolve));
    const query = connection.query("SELECT 1 AS one");
    query.on("result", (row) => log(row));
    await new Promise((resolve) => query.once("end", resolve));
    const ended = new Promise((resolve) => connection.once("end", resolve as () => void));
    connection.end();
    await ended;
    log(await called((done) => connection.query("SELECT 1", done)));
    log(await called((done) => connection.execute("SELECT 1", done)));
  },
  "a connection by promise": async ({ promises, at }, log) => {
    const connection = await promises.createConnection(at);
    log(await connection.query("SELECT ? AS one", [1]), await connection.execute("SELECT ? AS one", ["1"]));
    await connection.beginTransaction();
    log(await connection.query("INSERT INTO product VALUES (50, 'x')"));
    await connection.rollback();
    log(await connection.query("SELECT count(*) AS n FROM product"));
    log(await settled(connection.query("SELEC 1")));
    log(await settled(connection.execute("SELECT * FROM nowhere")));
    log(await connection.ping());
    await connection.end();
    log(await settled(connection.query("SELECT 1")));
  },
  "a connection that is destroyed": async ({ promises, at }, log) => {
    const connection = await promises.createConnection(at);
    await connection.beginTransaction();
    await connection.query("INSERT INTO product VALUES (51, 'x')");
    connection.destroy();
    log(await settled(connection.query("SELECT 1")));
    const next = await promises.createConnection(at);
    log(await next.query("SELECT count(*) AS n FROM product"));
    await next.end();
  },
  "the session of a connection": connected(async (connection, log) => {
    const promise = connection.promise();
    await promise.query("SET @a = 5, time_zone = '+03:00'");
    await promise.query("CREATE TEMPORARY TABLE mine (id int)");
    await promise.query("INSERT INTO mine VALUES (1), (2)");
    log(await promise.query("SELECT @a AS a, @@time_zone AS zone, count(*) AS n FROM mine"));
    log(await promise.query("INSERT INTO product VALUES (52, 'x')"), await promise.query("SELECT ROW_COUNT() AS n"));
    log(
      await promise.query("SELECT GET_LOCK('mine', 0) AS l"),
      await promise.query("SELECT RELEASE_LOCK('mine') AS l"),
    );
    await promise.changeUser({ database: "app" });
    log(await promise.query("SELECT @a AS a"));
  }),
  "an error that only the connection is told": connected(async (connection, log) => {
    const told = new Promise((resolve) => connection.once("error", resolve));
    connection.query("SELEC 1");
    log(await told); // mysql2 itself closes the connection then
  }),
  "an error that the command is told": connected(async (connection, log) => {
    const query = connection.query("SELECT * FROM nowhere");
    log(await new Promise((resolve) => query.once("error", resolve)));
    const execute = connection.execute("SELECT * FROM nowhere");
    log(await new Promise((resolve) => execute.once("error", resolve)));
  }),
  "streams of a connection": connected(async (connection, log) => {
    const sql = "SELECT id, name FROM product ORDER BY id";
    log(await drain(connection.query(sql).stream()));
    log(await drain(connection.query(sql).stream({ highWaterMark: 1 })));
    log(await drain(connection.execute(sql).stream()));
    log(await drain(connection.query({ sql, rowsAsArray: true }).stream()));
    log(await drain(connection.query({ sql, nestTables: true }).stream()));
    log(await drain(connection.query("SELECT * FROM product WHERE id = ?", [2]).stream()));
    log(await drain(connection.query("SELECT id FROM product WHERE id > 100").stream()));
    log(await drain(connection.query("SELECT * FROM nowhere").stream()));
    log(await drain(connection.execute("SELECT * FROM nowhere").stream()));
    log(await drain(connection.query("INSERT INTO product VALUES (60, 'x')").stream()));
    log(await called((done) => connection.query("SELECT 1 AS one", done)));
  }),
  "streams of several results": connected(
    async (connection, log) => {
      log(await drain(connection.query("SELECT 1 AS a; SELECT 2 AS b UNION SELECT 3").stream()));
      log(await drain(connection.query("CALL twice()").stream()));
      const query = connection.query("SELECT 1 AS a; INSERT INTO product VALUES (61, 'x'); SELECT 2 AS b");
      query.on("fields", (fields, index) => log("fields", fields, index));
      query.on("result", (result, index) => log("result", result, index));
      await new Promise((resolve) => query.once("end", resolve));
    },
    { multipleStatements: true },
  ),
  "events of a stream": connected(async (connection, log) => {
    const rows = connection.query("SELECT id FROM product ORDER BY id").stream();
    rows.on("fields", (fields) => log("fields", fields));
    rows.on("data", (row) => log("data", row));
    await new Promise((resolve) => rows.once("end", resolve));
    log("end");
  }),
  "named placeholders": connected(
    async (connection, log) => {
      const promise = connection.promise();
      log(await promise.query("SELECT :a AS a, ':b' AS b, :a AS again", { a: 1 }));
      log(await promise.execute("SELECT :b + 0 AS b, :a + 0 AS a", { a: 1, b: 2 }));
      log(await promise.query("SELECT ? AS a", [1]), await promise.execute("SELECT ? + 0 AS a", [1]));
      log(await promise.query({ sql: "SELECT :a AS a", values: { a: "x" } } as never));
      log(await settled(promise.query("SELECT :missing AS a", { a: 1 })));
      log(await settled(promise.execute("SELECT :missing AS a", { a: 1 })));
      log(await drain(connection.query("SELECT :a AS a", { a: 7 }).stream()));
      await promise.query("INSERT INTO product VALUES (:id, :name)", { id: 70, name: "it's" });
      log(await promise.query("SELECT * FROM product WHERE id IN (:ids)", { ids: [1, 70] }));
    },
    { namedPlaceholders: true },
  ),
  "named placeholders of one query": connected(async (connection, log) => {
    const promise = connection.promise();
    log(await promise.query({ sql: "SELECT :a AS a", namedPlaceholders: true }, { a: 1 }));
    log(await promise.execute({ sql: "SELECT :a + 0 AS a", namedPlaceholders: true }, { a: 1 }));
    log(await settled(promise.query("SELECT :a AS a", { a: 1 })));
  }),
  "typeCast of a connection": connected(
    async (connection, log) => {
      const promise = connection.promise();
      const sql =
        "SELECT id, name, NULL AS nothing, x'0001' AS bytes, TIMESTAMP '2026-01-02 03:04:05' AS t FROM product";
      log(await promise.query(sql), await promise.execute(sql));
      log(await drain(connection.query(sql).stream()));
    },
    {
      typeCast: (field, next) => {
        if (field.type === "VAR_STRING") return `${field.name}=${field.string()}`;
        if (field.type === "LONG") return Number(field.string()) * 10;
        return next();
      },
    },
  ),
  "typeCast of one query": connected(async (connection, log) => {
    const promise = connection.promise();
    const typeCast: mysql2.TypeCast = (field, next) =>
      field.type === "GEOMETRY" ? field.geometry() : field.type === "VAR_STRING" ? field.buffer() : next();
    const sql = "SELECT id, name, ST_GeomFromText('POINT(1 2)') AS place FROM product ORDER BY id";
    log(await promise.query({ sql, typeCast }), await promise.execute({ sql, typeCast }));
    log(await promise.query(sql), await promise.query({ sql, typeCast: false }));
  }),
  "values that are SQL": connected(async (connection, log) => {
    const promise = connection.promise();
    log(await promise.query("SELECT ? AS a, ? AS b", [mysql2.raw("1 + 1"), mysql2.raw("upper('x')")]));
    log(await promise.query("UPDATE product SET name = ? WHERE ??.?? = ?", [mysql2.raw("'raw'"), "product", "id", 1]));
    log(await promise.query("INSERT INTO product SET ?", { id: 71, name: mysql2.raw("concat('a', 'b')") }));
    log(await promise.query("SELECT * FROM product WHERE id IN (?)", [[1, 71]]));
    log(
      await promise.query("INSERT INTO product VALUES ?", [
        [
          [72, "a"],
          [73, "b"],
        ],
      ]),
    );
  }),
  "a local file": connected(
    async (connection, log) => {
      const promise = connection.promise();
      const path = join(tmpdir(), `mirrorpool-load-connection-${process.pid}.csv`);
      await writeFile(path, "80,eighty\n81,eighty-one\n");
      const sql = `LOAD DATA LOCAL INFILE '${path}' INTO TABLE product FIELDS TERMINATED BY ','`;
      log(await promise.query(sql), await promise.query("SELECT * FROM product WHERE id >= 80"));
      const infileStreamFactory = () => file("82,eighty-two\n", "83,eighty-three\n");
      log(await promise.query({ sql, infileStreamFactory } as never));
      await promise.beginTransaction();
      log(await promise.query({ sql, infileStreamFactory: () => file("84,x\n") } as never));
      await promise.rollback();
      log(await promise.query("SELECT * FROM product WHERE id >= 80 ORDER BY id"));
      log(await called((done) => connection.query({ sql, infileStreamFactory: () => file() } as never, done)));
      const missing = { sql, infileStreamFactory: () => createReadStream("/nowhere/at/all.csv") };
      log(await settled(promise.query(missing as never)));
    },
    { infileStreamFactory: (path) => createReadStream(path as unknown as string) },
  ),
  "a local file that nobody allowed": connected(async (connection, log) => {
    const sql = "LOAD DATA LOCAL INFILE '/etc/hostname' INTO TABLE product";
    log(await settled(connection.promise().query(sql)));
    log(await called((done) => connection.query("SELECT 1 AS one", done)));
  }),
  "a statement that is prepared": connected(async (connection, log) => {
    const prepared = await new Promise<mysql2.PrepareStatementInfo>((resolve, reject) =>
      connection.prepare("SELECT name FROM product WHERE id = ?", (error, statement) =>
        error ? reject(error) : resolve(statement),
      ),
    );
    log(await called((done) => prepared.execute([1], done)), await called((done) => prepared.execute([2], done)));
    connection.unprepare("SELECT name FROM product WHERE id = ?");
    log(await called((done) => connection.execute("SELECT name FROM product WHERE id = ?", [3], done)));
  }),
  "transactions by callback": connected(async (connection, log) => {
    log(await called((done) => connection.beginTransaction(done)).then((args) => (args as unknown[])[0]));
    log(await called((done) => connection.query("INSERT INTO product VALUES (90, 'x')", done)));
    log(await called((done) => connection.rollback(done as never)));
    log(await called((done) => connection.beginTransaction(done)).then((args) => (args as unknown[])[0]));
    log(await called((done) => connection.query("INSERT INTO product VALUES (91, 'x')", done)));
    log(await called((done) => connection.commit(done)));
    log(await called((done) => connection.query("SELECT id FROM product WHERE id >= 90", done)));
  }),
};
