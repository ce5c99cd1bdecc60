import { setTimeout as sleep } from "node:timers/promises";
import { createPool } from "@mirrorpool/core";
import { mysql } from "@mirrorpool/mysql2";
import { compare, copy, repair } from "@mirrorpool/sync";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Table } from "../../src/model.ts";
import { mysqlDialect } from "../../src/mysql/dialect.ts";
import { readViewPlace } from "../../src/mysql/view-place.ts";
import { openPlace, type Place } from "./support.ts";

let postgres: Place;
let mariadb: Place;
let other: Place;

beforeAll(async () => {
  [postgres, mariadb, other] = await Promise.all([
    openPlace("postgres"),
    openPlace("mariadb", 1),
    openPlace("mariadb"),
  ]);
});
beforeEach(async () => {
  await Promise.all([postgres, mariadb, other].map((each) => each.clear()));
});
afterAll(async () => {
  await Promise.all([postgres, mariadb, other].map((each) => each?.[Symbol.asyncDispose]()));
});

const fast = { recheckMs: 10 } as const;

const DIGITS = `(${Array.from({ length: 10 }, (_, digit) => `SELECT ${digit} AS n`).join(" UNION ALL ")})`;

/** Rows of numbers 1 to `count`, of 100 000 at most, on MariaDB and MySQL. */
const numbers = (count: number): string =>
  `(SELECT 1 + a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n AS n
    FROM ${DIGITS} AS a, ${DIGITS} AS b, ${DIGITS} AS c, ${DIGITS} AS d, ${DIGITS} AS e HAVING n <= ${count}) AS numbers`;

test("MariaDB to MariaDB: tables of all kinds of keys are cut into chunks that cover every row once", async () => {
  for (const place of [mariadb, other]) {
    await place.run(
      "CREATE TABLE numbers (id bigint PRIMARY KEY, body varchar(60))",
      "CREATE TABLE words (a varchar(20), b char(36), n int, PRIMARY KEY (a, b)) COLLATE utf8mb4_general_ci",
      "CREATE TABLE pairs (a int, b datetime(6), n varbinary(10), PRIMARY KEY (a, b))",
      "CREATE TABLE keyless (n int, body varchar(10))",
      "CREATE TABLE nothing (id int PRIMARY KEY)",
    );
  }
  await mariadb.run(
    `INSERT INTO numbers SELECT n * n, REPEAT('x', n % 50) FROM ${numbers(20_000)}`,
    `INSERT INTO words SELECT CONCAT(ELT(n % 3 + 1, 'ä', 'Z', '"''\\\\'), n % 100), UUID(), n FROM ${numbers(10_000)}`,
    `INSERT INTO pairs SELECT n % 10, '2024-01-01' + INTERVAL n MICROSECOND, CHAR(n) FROM ${numbers(10_000)}`,
    `INSERT INTO keyless SELECT n % 10, 'same' FROM ${numbers(5000)}`,
    "ANALYZE TABLE numbers, words, pairs, keyless",
  );
  await mariadb.cluster.caughtUp();
  const job = { from: mariadb.pool, to: other.pool };
  const report = await copy({ ...job, chunkBytes: 65_536, connections: 3 });
  expect(report).toMatchObject({ rows: 45_000, tables: 5 });
  expect(report.chunks.total).toBeGreaterThan(20);
  expect(await compare({ ...job, ...fast })).toMatchObject({ isEqual: true, rows: { from: 45_000, to: 45_000 } });
});

test("MySQL to MySQL and to PostgreSQL, by INSERT where LOAD DATA LOCAL is not allowed", async () => {
  const [one, two] = await Promise.all([openPlace("mysql"), openPlace("mysql")]);
  await using from = one;
  await using to = two;
  for (const place of [from, to])
    await place.run(
      "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, n int, j json, g point, b blob, s varchar(20), f float, e enum('a', 'b'))",
    );
  await from.run(
    `INSERT INTO t (n, j, g, b, s, f, e) SELECT n, JSON_OBJECT('n', n, 'b', 'ä'), POINT(n, 1), UNHEX(SHA2(n, 256)), CONCAT('tab\\t', n, '\\\\'), n / 7, 'b' FROM ${numbers(1000)}`,
    ...["", "", ""].map(() => "INSERT INTO t (n, j, g, b, s, f, e) SELECT n, j, g, b, s, f, e FROM t"),
    "ANALYZE TABLE t",
  );
  const job = { from: from.pool, to: to.pool };
  const report = await copy({ ...job, chunkBytes: 65_536 });
  expect(report).toMatchObject({ rows: 8000, sequences: 1 });
  expect(report.chunks.total).toBeGreaterThan(3);
  expect(await compare({ ...job, ...fast })).toMatchObject({ isEqual: true });
  await postgres.run("CREATE TABLE t (id int PRIMARY KEY, n int, j jsonb, b bytea, s varchar(20), f real, e text)");
  const across = { from: from.pool, to: postgres.pool, lossy: ["json-normalized"] } as const;
  await expect(copy(across)).rejects.toMatchObject({
    refusals: [{ column: "g", reason: "the target has no such column" }],
  });
  await from.run("ALTER TABLE t DROP COLUMN g");
  expect(await copy(across)).toMatchObject({ rows: 8000 });
  expect(await compare({ ...across, ...fast })).toMatchObject({ isEqual: true });
});

test("names with quotes, newlines, dots and emoji are names on both systems", async () => {
  const name = `we"ird\n.'*\\ \``;
  const inPostgres = `"${name.replaceAll('"', '""')}"`;
  await postgres.run(
    `CREATE TABLE ${inPostgres} (${inPostgres} text PRIMARY KEY, "select" int, "from" bytea)`,
    `INSERT INTO ${inPostgres} VALUES ('it''s \\ "x" 🐘', 1, '\\x00'), ('b ', 2, NULL), ('B', 2, NULL), ('b', 2, NULL), ('', 3, NULL)`,
  );
  const tables = [{ name }];
  const there = { from: postgres.pool, to: mariadb.pool, tables } as const;
  // 'b' and 'b ' are the same key where spaces at the end do not count
  await expect(copy({ ...there, createTables: true })).rejects.toMatchObject({ errno: 1062 });
  await postgres.run(`DELETE FROM ${inPostgres} WHERE "select" = 2 AND length(${inPostgres}) = 2`);
  expect(await copy({ ...there, job: `job'"\``, into: "replace" })).toMatchObject({ rows: 4 });
  expect(await compare({ ...there, ...fast })).toMatchObject({ isEqual: true });
  const back = { from: mariadb.pool, to: postgres.pool, tables } as const;
  expect(await compare({ ...back, ...fast })).toMatchObject({ isEqual: true });
  const inMariadb = `\`${name.replaceAll("`", "``")}\``;
  await mariadb.run(`UPDATE ${inMariadb} SET \`select\` = 9`, `DELETE FROM ${inMariadb} WHERE ${inMariadb} = ''`);
  expect(await repair({ ...there, ...fast })).toMatchObject({ isEqual: true, updated: 3, inserted: 1 });
});

test("ten rows changed, three removed, two added are found exactly, and repaired", async () => {
  await postgres.run(
    "CREATE TABLE t (id bigint PRIMARY KEY, n numeric(30,10), f float8, body text, ba bytea, at timestamptz, u uuid)",
    "INSERT INTO t SELECT n * 7, n / 3.0, n / 7.0, 'body ' || n, decode(md5(n::text), 'hex'), '2024-01-01'::timestamptz + n * interval '1.000001 s', md5(n::text)::uuid FROM generate_series(1, 15000) n",
  );
  const job = { from: postgres.pool, to: mariadb.pool } as const;
  await copy({ ...job, createTables: true });
  expect(await compare({ ...job, ...fast, chunkBytes: 524_288 })).toMatchObject({ isEqual: true });
  const changes = [
    ["body = NULL", 7],
    ["body = ''", 14],
    ["body = CONCAT(body, ' ')", 7000],
    ["n = n + 0.0000000001", 21_000],
    ["f = -f", 42_000],
    ["f = f + 1e-11", 700],
    ["ba = CONCAT(ba, x'00')", 98_000],
    ["at = at + INTERVAL 1 MICROSECOND", 77],
    ["at = NULL", 84],
    ["body = UPPER(body)", 91],
  ] as const;
  for (const [change, id] of changes) await mariadb.run(`UPDATE t SET ${change} WHERE id = ${id}`);
  await mariadb.run("DELETE FROM t WHERE id IN (21, 35000, 104993)", "INSERT INTO t (id) VALUES (-5), (15)");
  const found = (what: string, { differences }: Awaited<ReturnType<typeof compare>>): readonly number[] =>
    differences
      .filter((each) => each.what === what)
      .map(({ key }) => Number(key?.[0]))
      .sort((one, two) => one - two);
  const report = await compare({ ...job, ...fast, chunkBytes: 524_288 });
  expect(found("different", report)).toEqual(changes.map(([, id]) => id).sort((one, two) => one - two));
  expect(found("missing", report)).toEqual([21, 35_000, 104_993]);
  expect(found("extra", report)).toEqual([-5, 15]);
  expect(await repair({ ...job, ...fast, dryRun: true })).toMatchObject({ inserted: 3, updated: 10, deleted: 2 });
  expect(await repair({ ...job, ...fast })).toMatchObject({ isEqual: true, inserted: 3, updated: 10, deleted: 2 });
  // and in the other direction
  await postgres.run(
    "UPDATE t SET body = 'other' WHERE id = 7",
    "DELETE FROM t WHERE id = 14",
    "INSERT INTO t (id) VALUES (1)",
  );
  const back = { from: mariadb.pool, to: postgres.pool } as const;
  expect(await repair({ ...back, ...fast })).toMatchObject({ isEqual: true, inserted: 1, updated: 1, deleted: 1 });
});

test("foreign keys hold afterwards, counters go on, and rows that stand in each other's way make room", async () => {
  for (const place of [mariadb, other]) {
    await place.run(
      "CREATE TABLE parent (id int AUTO_INCREMENT PRIMARY KEY, name varchar(20) UNIQUE, boss int, FOREIGN KEY (boss) REFERENCES parent (id))",
      "CREATE TABLE child (id int AUTO_INCREMENT PRIMARY KEY, parent int NOT NULL, FOREIGN KEY (parent) REFERENCES parent (id) ON DELETE CASCADE)",
    );
  }
  await mariadb.run(
    `INSERT INTO parent SELECT n, CONCAT('p', n), NULLIF(n - 1, 0) FROM ${numbers(500)}`,
    `INSERT INTO child SELECT n, n % 500 + 1 FROM ${numbers(2000)}`,
  );
  await mariadb.cluster.caughtUp();
  const job = { from: mariadb.pool, to: other.pool } as const;
  const orphans = copy({ ...job, tables: ["child"], job: "half" });
  await expect(orphans).rejects.toMatchObject({ code: "CONSTRAINT_FAILED", resumable: true });
  expect(await copy({ ...job, into: "replace" })).toMatchObject({ rows: 2500, sequences: 2 });
  const inserted = await other.pool.query("INSERT INTO child (parent) VALUES (1)");
  expect(inserted).toMatchObject({ insertId: 2001 });
  await other.run(
    "DELETE FROM child WHERE id = 2001 OR parent IN (7, 8)",
    "UPDATE parent SET boss = NULL WHERE boss IN (7, 8)",
    "DELETE FROM parent WHERE id IN (7, 8)",
    "INSERT INTO parent VALUES (5000, 'p7', NULL), (8, 'wrong', NULL)",
    "INSERT INTO child VALUES (6, 5000), (9000, 5000)",
  );
  expect(await repair({ ...job, ...fast, batchRows: 100 })).toMatchObject({ isEqual: true });
  expect(await compare({ ...job, ...fast })).toMatchObject({ isEqual: true });
});

test("what cannot be set aside on the target is refused, and so is the same database", async () => {
  for (const place of [mariadb, other])
    await place.run("CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE u (id int PRIMARY KEY)");
  await other.cluster.primary().query("CREATE TRIGGER note AFTER INSERT ON t FOR EACH ROW SET @seen = 1");
  await other.run("ALTER TABLE u ENGINE = Aria");
  await expect(copy({ from: mariadb.pool, to: other.pool })).rejects.toMatchObject({
    code: "REFUSED",
    refusals: [
      { table: "public.t", reason: expect.stringContaining("its trigger note") },
      { table: "public.u", reason: expect.stringContaining("InnoDB") },
    ],
  });
  await expect(copy({ from: mariadb.pool, to: mariadb.pool, into: "replace" })).rejects.toThrow("the same database");
});

test("connections that cannot write all texts are refused", async () => {
  const url = mariadb.cluster.primary().url;
  await using narrow = createPool({ driver: mysql({ charset: "latin1_swedish_ci" }), nodes: [url] });
  await mariadb.run("CREATE TABLE t (id int PRIMARY KEY)");
  const narrowed = copy({ from: narrow, to: postgres.pool, createTables: true });
  await expect(narrowed).rejects.toThrow("the character set latin1");
});

test("a load that is given up before the server asks for its rows keeps nothing waiting", async () => {
  await mariadb.run("CREATE TABLE t (id int PRIMARY KEY)");
  const dialect = mysqlDialect("10.11.0-MariaDB");
  const catalog = await dialect.readPrimary(mariadb.pool, undefined);
  const session = await mariadb.pool.connect();
  await dialect.beginLoad(session, new AbortController().signal);
  for (const delayMs of [0, 20]) {
    const sink = dialect.sink(session, catalog.tables[0] as Table, ["id"], "text");
    await sleep(delayMs);
    sink.abort();
  }
  session.release("destroy");
  const text =
    "SELECT COUNT(*) AS count FROM information_schema.PROCESSLIST WHERE COMMAND = 'Query' AND INFO LIKE 'LOAD%'";
  const running = async (): Promise<unknown> => (await mariadb.pool.query(text, [], { consistency: "strong" })).rows;
  await expect.poll(running, { timeout: 20_000 }).toEqual([{ count: 0 }]);
  await mariadb.run("TRUNCATE TABLE t");
});

test("a row that the target's server would only warn of ends the copy, and nothing of its chunk is there", async () => {
  await mariadb.run("CREATE TABLE t (id int PRIMARY KEY, v varchar(20))", "INSERT INTO t VALUES (1, 'a'), (2, 'A')");
  await other.run("CREATE TABLE t (id int PRIMARY KEY, v varchar(20) COLLATE utf8mb4_general_ci UNIQUE)");
  await expect(copy({ from: mariadb.pool, to: other.pool })).rejects.toMatchObject({
    name: "RowsRefused",
    errno: 1062,
  });
  expect((await other.pool.query("SELECT * FROM t", [], { consistency: "strong" })).rows).toEqual([]);
});

test("rows are read from one view for all connections, on a mirror, while the source goes on", async () => {
  await mariadb.run(
    "CREATE TABLE account (id int PRIMARY KEY, balance int, body varchar(200))",
    `INSERT INTO account SELECT n, 100, REPEAT('x', 200) FROM ${numbers(20_000)}`,
    "ANALYZE TABLE account",
  );
  await mariadb.cluster.caughtUp();
  let isMoving = true;
  const moving = (async () => {
    for (let n = 0; isMoving; n += 1) {
      await mariadb.pool.transaction(async (transaction) => {
        await transaction.query("UPDATE account SET balance = balance - 1 WHERE id = ?", [(n % 20_000) + 1]);
        await transaction.query("UPDATE account SET balance = balance + 1 WHERE id = ?", [20_000 - (n % 20_000)]);
      });
    }
  })();
  const [primary, mirror] = mariadb.cluster.nodes.map(
    ({ proxy }) =>
      () =>
        proxy.stats.bytes.down,
  );
  const before = [primary?.() ?? 0, mirror?.() ?? 0] as const;
  const job = { from: mariadb.pool, to: postgres.pool } as const;
  const { bytes } = await copy({ ...job, createTables: true, chunkBytes: 262_144, connections: 3 }).finally(() => {
    isMoving = false;
  });
  await moving;
  expect(bytes).toBeGreaterThan(4_000_000);
  expect((mirror?.() ?? 0) - before[1]).toBeGreaterThan(bytes);
  expect((primary?.() ?? 0) - before[0]).toBeLessThan(bytes / 2);
  const { rows } = await postgres.pool.query("SELECT sum(balance)::int AS sum, count(*)::int AS count FROM account");
  expect(rows).toEqual([{ sum: 2_000_000, count: 20_000 }]);
});

test("a view's place in the binary log is its own, whoever asks the server for theirs at the same moment", async () => {
  await mariadb.run("CREATE TABLE t (id int PRIMARY KEY AUTO_INCREMENT)");
  const views = await Promise.all([1, 2].map(() => mariadb.pool.reserve({ on: "primary" })));
  const offsets: (number | undefined)[] = [];
  for (const view of views) {
    await view.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
    offsets.push((await readViewPlace(view))?.offset);
    await mariadb.run("INSERT INTO t VALUES ()");
  }
  expect(offsets[0]).toBeLessThan(offsets[1] ?? 0);
  for (let reads = 0; reads < 200; reads += 1) {
    const told = await Promise.all(views.map(readViewPlace));
    expect(told.map((place) => place?.offset)).toEqual(offsets);
  }
  for (const view of views) view.release();
});
