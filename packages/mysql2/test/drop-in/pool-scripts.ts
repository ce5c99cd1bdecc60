import { createReadStream } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import mysql2 from "mysql2";
import { called, type Log, settled } from "./scripts.ts";

type PoolScript = (pool: mysql2.Pool, log: Log) => Promise<unknown>;
type Options = Partial<mysql2.PoolOptions>;

const connect = (pool: mysql2.Pool): Promise<mysql2.PoolConnection> =>
  new Promise((resolve, reject) =>
    pool.getConnection((error, connection) => (error ? reject(error) : resolve(connection))),
  );

/** What applications do with a pool. */
export const poolScripts: Readonly<Record<string, readonly [script: PoolScript, options?: Options]>> = {
  "text, by promise and callback": [
    async (pool, log) => {
      log(await pool.promise().query("SELECT 1 AS one, 'two' AS two"));
      log(await called((done) => pool.query("SELECT 1 AS one", done)));
      log(await called((done) => pool.query("SELECT ? AS one", [1], done)));
      const connection = await connect(pool);
      log(await connection.promise().query("SELECT 1 AS one"));
      log(await called((done) => connection.query({ sql: "SELECT ? AS one", values: [3] }, done)));
      connection.release();
    },
  ],
  "values of all kinds": [
    async (pool, log) => {
      const date = new Date("2026-03-01T10:00:00.000Z");
      log(await pool.promise().query("SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e", [1, "it's", null, date, true]));
      log(await pool.promise().query("SELECT ?? AS a FROM product WHERE id IN (?)", ["name", [1, 2]]));
      log(await pool.promise().query("INSERT INTO product SET ?", { id: 7, name: "seven" }));
      log(await pool.promise().query("UPDATE product SET name = ? WHERE id = 7", [mysql2.raw("upper(name)")]));
      log(await pool.promise().query("SELECT * FROM product WHERE ?", { id: 7 }));
      log(mysql2.escape("a'b"), pool.escape("a'b"), pool.format("a ? ??", [1, "b"]));
    },
  ],
  "prepared statements": [
    async (pool, log) => {
      const promises = pool.promise();
      log(await promises.execute("SELECT ? + 1 AS two, ? AS text", [1, "x"]));
      log(await promises.execute("SELECT 5 AS five"));
      log(await called((done) => pool.execute("SELECT ? AS one", ["1"], done)));
      log(await promises.execute("INSERT INTO product VALUES (?, ?)", [8, "eight"]));
      const connection = await promises.getConnection();
      const statement = await connection.prepare("SELECT name FROM product WHERE id = ?");
      log(await statement.execute([8]), await statement.execute([9]));
      await statement.close();
      log(connection.unprepare("SELECT 1") === undefined);
      log(await settled(connection.execute("SELECT ?", [undefined as never])));
      connection.release();
    },
  ],
  "named placeholders": [
    async (pool, log) => {
      log(await pool.promise().query("SELECT :a AS a, :b AS b, :a AS again", { a: 1, b: "two" }));
      log(await pool.promise().execute("SELECT :a + 0 AS a", { a: 1 }));
      log(await pool.promise().query({ sql: "SELECT ? AS a", namedPlaceholders: false }, [4]));
    },
    { namedPlaceholders: true },
  ],
  "what rows look like": [
    async (pool, log) => {
      const sql = "SELECT product.id, product.name, 1 AS one FROM product WHERE id = 1";
      log(await pool.promise().query({ sql, rowsAsArray: true }));
      log(await pool.promise().query({ sql, nestTables: true }));
      log(await pool.promise().query({ sql, nestTables: "_" }));
      const typeCast: mysql2.TypeCast = (field, next) => (field.type === "LONG" ? `#${field.string()}` : next());
      log(await pool.promise().query({ sql, typeCast }));
      log(await pool.promise().execute({ sql, rowsAsArray: true }));
    },
  ],
  "what connections are told of rows": [
    async (pool, log) => {
      log(
        await pool
          .promise()
          .query("SELECT 9007199254740993 AS large, 1.50 AS exact, TIMESTAMP '2026-01-02 03:04:05' AS t"),
      );
    },
    { supportBigNumbers: true, bigNumberStrings: true, decimalNumbers: true, dateStrings: true, rowsAsArray: true },
  ],
  "a time zone": [
    async (pool, log) => {
      const moment = new Date("2026-03-01T10:00:00.000Z");
      log(await pool.promise().query("SELECT ? AS written, TIMESTAMP '2026-01-02 03:04:05' AS t", [moment]));
    },
    { timezone: "+05:00" },
  ],
  "several statements in one text": [
    async (pool, log) => {
      log(await pool.promise().query("SELECT 1 AS one; INSERT INTO product VALUES (9, 'nine'); SELECT 2 AS two"));
      log(await settled(pool.promise().query("SELECT 1 AS one; SELEC 2")));
      log(await pool.promise().query("SELECT 3 AS three"));
    },
    { multipleStatements: true },
  ],
  "several statements where there may be one": [
    async (pool, log) => {
      log(await settled(pool.promise().query("SELECT 1 AS one; SELECT 2 AS two")));
    },
  ],
  "a procedure with several results": [
    async (pool, log) => {
      log(await pool.promise().query("CALL twice()"));
      log(await pool.promise().query("SELECT 1 AS one"));
    },
  ],
  errors: [
    async (pool, log) => {
      log(await settled(pool.promise().query("SELEC 1")));
      log(await settled(pool.promise().query("INSERT INTO product VALUES (1, 'again')")));
      log(await settled(pool.promise().execute("SELECT nothing FROM nowhere WHERE id = ?", [1])));
      log(await called((done) => pool.query("SELECT * FROM nowhere", done)));
      log(await settled((async () => pool.promise().query("SELECT 1", (() => {}) as never))()));
    },
  ],
  "where errors come from": [
    async (pool, log) => {
      const promises = pool.promise();
      const connection = await promises.getConnection();
      const placesOf = async (ask: () => Promise<unknown>): Promise<boolean> => {
        const error = await settled(ask());
        return error instanceof Error && error.stack?.includes("askFromHere") === true;
      };
      for (const whom of [promises, connection]) {
        const askFromHere = async (): Promise<unknown> => await whom.query("SELEC 1");
        log(await placesOf(askFromHere));
      }
      connection.release();
    },
  ],
  transactions: [
    async (pool, log) => {
      const connection = await pool.promise().getConnection();
      await connection.beginTransaction();
      log(await connection.query("INSERT INTO product VALUES (20, 'twenty')"));
      log(await connection.query("SELECT count(*) AS n FROM product"));
      log(await settled(connection.query("INSERT INTO product VALUES (20, 'twenty')")));
      await connection.rollback();
      log(await connection.query("SELECT count(*) AS n FROM product"));
      await connection.beginTransaction();
      await connection.query("SAVEPOINT one");
      await connection.query("INSERT INTO product VALUES (21, 'x')");
      await connection.query("ROLLBACK TO SAVEPOINT one");
      log(await connection.commit());
      connection.release();
      log(await pool.promise().query("SELECT count(*) AS n FROM product"));
    },
  ],
  "rows as they come": [
    async (pool, log) => {
      const connection = await connect(pool);
      const query = connection.query("SELECT id FROM product ORDER BY id");
      query.on("fields", (fields) => log("fields", fields));
      query.on("result", (row) => log("row", row));
      await new Promise<void>((resolve) => query.on("end", () => resolve()));
      const failing = connection.query("SELECT * FROM nowhere");
      log(await new Promise((resolve) => failing.on("error", resolve)));
      const inserting = connection.query("INSERT INTO product VALUES (30, 'x')");
      inserting.on("result", (header) => log("header", header));
      await new Promise<void>((resolve) => inserting.on("end", () => resolve()));
      connection.release();
    },
  ],
  streams: [
    async (pool, log) => {
      for await (const row of pool.query("SELECT id, name FROM product ORDER BY id").stream()) log(row);
      const connection = await connect(pool);
      for await (const row of connection.execute("SELECT id FROM product WHERE id > ? ORDER BY id", [1]).stream())
        log(row);
      const failing = connection.query("SELECT * FROM nowhere").stream();
      log(await new Promise((resolve) => failing.once("error", resolve)));
      connection.release();
    },
  ],
  "rows that are stopped and go on": [
    async (pool, log) => {
      const connection = await connect(pool);
      const query = connection.query("SELECT id FROM product ORDER BY id");
      let seen = 0;
      query.on("result", () => {
        seen += 1;
        connection.pause();
        setTimeout(() => connection.resume(), 1);
      });
      await new Promise<void>((resolve) => query.on("end", () => resolve()));
      log(seen);
      connection.release();
    },
  ],
  "a local file": [
    async (pool, log) => {
      const path = join(tmpdir(), `mirrorpool-load-${process.pid}.csv`);
      await writeFile(path, "40,forty\n41,forty-one\n");
      const sql = `LOAD DATA LOCAL INFILE '${path}' INTO TABLE product FIELDS TERMINATED BY ','`;
      log(await pool.promise().query({ sql, infileStreamFactory: (name: string) => createReadStream(name) } as never));
      log(await pool.promise().query("SELECT * FROM product WHERE id >= 40"));
    },
  ],
  "events and limits of the pool": [
    async (pool, log) => {
      for (const event of ["acquire", "connection", "enqueue", "release"]) pool.on(event, () => log(event));
      const one = await connect(pool);
      const two = await connect(pool);
      const three = connect(pool);
      one.release();
      log((await three) === one);
      const four = connect(pool);
      log(await settled(connect(pool)));
      two.release();
      (await four).release();
      one.release();
      one.release();
      log(await pool.promise().query("SELECT 1 AS one"));
    },
    { connectionLimit: 2, queueLimit: 1 },
  ],
  "a pool in which nobody waits": [
    async (pool, log) => {
      const one = await connect(pool);
      log(await settled(connect(pool)));
      one.destroy();
      log(await pool.promise().query("SELECT 1 AS one"));
    },
    { connectionLimit: 1, waitForConnections: false },
  ],
  "what a connection tells of itself": [
    async (pool, log) => {
      const { Pool, PoolConnection, Connection } = mysql2 as unknown as Record<string, new () => object>;
      const connection = await connect(pool);
      log(pool instanceof (Pool as never), connection instanceof (PoolConnection as never));
      log(connection instanceof (Connection as never), connection.config.database);
      log(await called((done) => connection.ping(done as never)));
      log(typeof connection.threadId);
      connection.release();
    },
  ],
  "settings made when the pool connects": [
    async (pool, log) => {
      pool.on("connection", (connection) => void connection.query("SET @who = 'hook'"));
      for (let i = 0; i < 3; i += 1) log(await pool.promise().query("SELECT @who AS who"));
    },
    { connectionLimit: 1 },
  ],
  "a connection that is made as new": [
    async (pool, log) => {
      const connection = await pool.promise().getConnection();
      await connection.query("SET @who = 'me'");
      await connection.reset();
      log(await connection.query("SELECT @who AS who"));
      await connection.changeUser({ database: "app" });
      log(await connection.query("SELECT DATABASE() AS name"));
      connection.release();
    },
  ],
  "a pool that has ended": [
    async (pool, log) => {
      log(await pool.promise().query("SELECT 1 AS one"));
      log(await pool.promise().end());
      log(await settled(pool.promise().query("SELECT 1 AS one")));
    },
  ],
};
