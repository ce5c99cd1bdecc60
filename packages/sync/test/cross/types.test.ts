import { compare, copy, type JobError } from "@mirrorpool/sync";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { contentOf } from "../support.ts";
import { openPlace, type Place } from "./support.ts";

let first: Place;
let middle: Place;
let last: Place;

beforeAll(async () => {
  [first, middle, last] = await Promise.all([openPlace("postgres"), openPlace("mariadb"), openPlace("postgres")]);
});
beforeEach(async () => {
  await Promise.all([first.clear(), middle.clear(), last.clear()]);
});
afterAll(async () => {
  await Promise.all([first, middle, last].map((each) => each?.[Symbol.asyncDispose]()));
});

const COLUMNS = `id bigint PRIMARY KEY, b bool, i2 smallint, i4 int, i8 bigint, n numeric(20,4), nn numeric(65,30), f4 real, f8 float8, t text,
  v varchar(20), c char(5), ba bytea, u uuid, d date, ts timestamp, tz timestamptz, t6 time, ts0 timestamp(0), j json, jb jsonb, bi bit(7)`;
const FOREIGN = `, m mood, ttz timetz, iv interval, i inet, ci cidr, ia int[], ta text[], r int4range, x xml, mo money, pt point`;

const ROWS = [
  `1, true, 32767, 2147483647, 9223372036854775807, 9999999999999999.9999, 12345678901234567890123456789012345.123456789012345678901234567890,
   3.4028235e38, 1.7976931348623157e308, E'tab\\t new\\nline \\r back\\\\slash \\\\N \\b \\f \\v \\u0001 quote'' " 🐘 ä', '', 'ab', '\\x00ff5c6e090a0d',
   'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '0001-01-01', '9999-12-31 23:59:59.999999', '1969-07-20 20:17:40.000001-05', '24:00:00', '2024-02-29 12:34:56',
   '{"b":1, "a": 1e400,"a":2}', '{"b":1,"a":[null,"x"],"n":12345678901234567890123.456}', '1010101',
   'so "so"', '12:00:00+05:30', '1 year -2 days 3.000001 s', '10.0.0.1/8', '10.0.0.0/8', '{1,NULL,3}', '{"a,b","c\\"d",NULL,""}', '[1,10)', '<a>&amp;</a>', 12.34, '(1.5,-2)'`,
  `-2, false, -32768, -2147483648, -9223372036854775808, -0.0001, -0.000000000000000000000000000001, 1.4e-45, 5e-324, '', NULL, '', '', NULL, '9999-12-31',
   '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999+00', '00:00:00.5', NULL, 'null', '""', '0000000', 'glad', NULL, '-1 mon', '::1', NULL, '{}', '{}', 'empty', NULL, NULL, NULL`,
  `3, NULL${", NULL".repeat(31)}`,
  `4, true, 0, 0, 0, 0, 0, 0.1, 0.1, 'NULL', 'N', ' a', '\\x5c78', '00000000-0000-0000-0000-000000000000', '2024-02-29', '2024-02-29 12:34:56.7', '2024-02-29 12:34:56.7+00',
   '12:34:56.78', '1000-01-01 00:00:00', '{}', '{}', '0000001', '1', '00:00:00+00', '0', '1.2.3.4', '::/0', '{0}', '{NULL}', '(,)', '<b/>', 0, '(0,0)'`,
];
const LOSSY = ["as-text"] as const;

async function makeFirst(place: Place): Promise<void> {
  await place.run(
    `CREATE TYPE mood AS ENUM ('glad', 'so "so"', '1')`,
    `CREATE TABLE everything (${COLUMNS}${FOREIGN})`,
  );
}

test("all types go from PostgreSQL to MariaDB and back, with their extremes, as they are", async () => {
  await Promise.all([makeFirst(first), makeFirst(last)]);
  for (const row of ROWS) await first.run(`INSERT INTO everything VALUES (${row})`);
  await first.run(
    "INSERT INTO everything (id, f4, f8) SELECT 100 + n, (random() - 0.5) * 10 ^ (random() * 60 - 30), (random() - 0.5) * 10 ^ (random() * 600 - 300) FROM generate_series(1, 5000) n",
  );
  const there = { from: first.pool, to: middle.pool, lossy: [...LOSSY, "json-normalized"] as const };
  expect(await copy({ ...there, createTables: true })).toMatchObject({ rows: 5004, tables: 1 });
  expect(await compare({ ...there, recheckMs: 10 })).toMatchObject({ isEqual: true, rows: { from: 5004, to: 5004 } });
  const back = { from: middle.pool, to: last.pool, lossy: [...LOSSY, "json-normalized"] as const };
  expect(await copy(back)).toMatchObject({ rows: 5004 });
  expect(await compare({ ...back, recheckMs: 10 })).toMatchObject({ isEqual: true });
  expect(await contentOf(last.pool, "everything")).toBe(await contentOf(first.pool, "everything"));
});

/** What a job is refused for. */
async function refusalsOf(job: Promise<unknown>): Promise<JobError["refusals"]> {
  const error = await job.then(
    () => undefined,
    (reason: JobError) => reason,
  );
  expect(error).toMatchObject({ code: "REFUSED", message: expect.stringContaining("nothing was changed") });
  return error?.refusals ?? [];
}

test("values that MariaDB cannot hold are refused before the first row, with column, value and rule", async () => {
  await first.run(
    `CREATE TABLE t (id int PRIMARY KEY, f float8, g float8, d date, ts timestamptz, n numeric, v text, i bigint, small numeric(10,6), e text, s timestamptz)`,
    `INSERT INTO t VALUES (1, 'NaN', '-0', 'infinity', '10000-01-01', 'NaN', 'longer than ten', 2147483648, 1.23456, 'x', '2038-01-19 03:14:08'),
      (2, 1, 1, '2024-01-01', '2024-01-01', 1.5, 'short', 1, 1.2345, 'y', '2024-01-01')`,
  );
  await middle.run(
    `CREATE TABLE t (id int PRIMARY KEY, f double, g double, d date, ts datetime(6), n decimal(30,10), v varchar(10), i int, small decimal(10,4), e text CHARACTER SET latin1, s timestamp(6) NULL)`,
  );
  const job = { from: first.pool, to: middle.pool };
  expect(await refusalsOf(copy(job))).toMatchObject([
    { table: "public.t", column: "e", reason: expect.stringContaining("utf8mb4") },
  ]);
  await middle.run("ALTER TABLE t MODIFY e longtext CHARACTER SET utf8mb4");
  const found = await refusalsOf(copy(job));
  expect(
    found.map(({ column, reason }) => [column, JSON.parse(/the value (".*?"):/.exec(reason)?.[1] ?? "null")]),
  ).toEqual([
    ["f", "NaN"],
    ["g", "-0"],
    ["d", "infinity"],
    ["ts", expect.stringContaining("10000-01-01")],
    ["n", "NaN"],
    ["v", "longer than ten"],
    ["i", "2147483648"],
    ["small", "1.234560"],
    ["s", expect.stringContaining("2038-01-19 03:14:08")],
  ]);
  expect((await middle.pool.query("SELECT * FROM t", [], { consistency: "strong" })).rows).toEqual([]);
  await first.run("DELETE FROM t WHERE id = 1", "UPDATE t SET g = '-0'");
  expect(await copy({ ...job, lossy: ["negative-zero"] })).toMatchObject({ rows: 1 });
  expect(await compare({ ...job, recheckMs: 10, lossy: ["negative-zero"] })).toMatchObject({ isEqual: true });
});

const ONLY_MARIADB = `id int unsigned AUTO_INCREMENT PRIMARY KEY, t1 tinyint(1), t tinyint, u bigint unsigned, m mediumint unsigned, z int(6) zerofill, de decimal(65,30), f float, dd double, y year,
  d date, dt datetime(6), d0 datetime, ts timestamp(6) NULL, ti time(6), e enum('a', 'it''s', 'b,c', 'back\\\\slash', ''), s set('x', 'y z'), bi bit(33),
  vb varbinary(20), lb longblob, lt longtext, la varchar(50) CHARACTER SET latin1, c char(4), js json, u6 uuid, i6 inet6, twice int AS (t * 2) STORED`;
const MARIADB_NAMES = "id, t1, t, u, m, z, de, f, dd, y, d, dt, d0, ts, ti, e, s, bi, vb, lb, lt, la, c, js, u6, i6";
const MARIADB_ROWS = [
  `0, 1, -128, 18446744073709551615, 16777215, 42, -12345678901234567890123456789012345.123456789012345678901234567890, 3.40282e38, 1.7976931348623157e308, 2155, '9999-12-31',
   '9999-12-31 23:59:59.999999', '1000-01-01', '2038-01-19 03:14:07.999999', '23:59:59.999999', 'it''s', 'x,y z', b'100000000000000000000000000000001', x'00ff0a', x'5c6e5c090d', 'tab\\t\\\\N 🐘', 'äöü', 'a', '{"b": 1, "a": [1e400]}',
   'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1'`,
  `7, 0, 127, 0, 0, 123456, 0, 0.1, 5e-324, 1901, '0001-01-01', '0001-01-01', '2024-02-29 01:02:03', '1970-01-01 00:00:01', '00:00:00', '', '', 0, '', '', '', '', '', 'null', NULL, '::ffff:10.0.0.1'`,
  `8${", NULL".repeat(25)}`,
  `9, 1, 0, 1, 1, 1, 1, 16777217, -0.1, 2000, '2024-02-29', '2024-02-29 00:00:00.1', '2024-02-29', '2024-02-29', '12:00:00.5', 'back\\\\slash', 'y z', 1, 'x', 'x', 'NULL', 'x', 'x', '"x"', UUID(), 'ffff::'`,
];

test("types of MariaDB go to PostgreSQL and back as they are; what is no value there is refused", async () => {
  await middle.run(`CREATE TABLE everything (${ONLY_MARIADB}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  {
    await using session = await middle.pool.connect();
    await session.query(
      "SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,STRICT_ALL_TABLES,ALLOW_INVALID_DATES', time_zone = '+00:00'",
    );
    for (const row of MARIADB_ROWS) await session.query(`INSERT INTO everything (${MARIADB_NAMES}) VALUES (${row})`);
    await session.query(
      "CREATE TABLE wrong (id int PRIMARY KEY, d date, dt datetime, ti time, t1 tinyint(1), v varchar(10))",
    );
    await session.query(
      "INSERT INTO wrong VALUES (1, '0000-00-00', '2024-02-00', '-838:59:59', 2, 'a\\0b'), (2, '2024-02-31', '2024-01-01', '25:00:00', 1, '')",
    );
  }
  const job = { from: middle.pool, to: first.pool };
  expect(await copy({ ...job, tables: ["everything"], createTables: true })).toMatchObject({ rows: 4, sequences: 1 });
  expect(await compare({ ...job, tables: ["everything"], recheckMs: 10 })).toMatchObject({ isEqual: true });
  await middle.run(
    "CREATE TABLE copied LIKE everything",
    "ALTER TABLE copied MODIFY la varchar(50)",
    "RENAME TABLE everything TO original, copied TO everything",
  );
  const back = { from: first.pool, to: middle.pool, tables: ["everything"], lossy: ["as-text"] } as const;
  expect(await copy({ ...back, job: "back" })).toMatchObject({ rows: 4 });
  expect(await compare({ ...back, recheckMs: 10 })).toMatchObject({ isEqual: true });
  const lost = "SELECT COUNT(*) AS lost FROM (SELECT * FROM original EXCEPT SELECT * FROM everything) AS other";
  expect((await middle.pool.query(lost, [], { consistency: "strong" })).rows).toEqual([{ lost: 0 }]);
  const wrong = await refusalsOf(copy({ ...job, job: "wrong", tables: ["wrong"], createTables: true }));
  expect(wrong.map(({ column }) => column)).toEqual(["d", "dt", "ti", "t1", "v"]);
  await middle.run("UPDATE wrong SET ti = '24:00:00', t1 = 1, v = ''");
  expect(await copy({ ...job, job: "wrong", tables: ["wrong"], lossy: ["zero-dates"] })).toMatchObject({ rows: 2 });
  expect((await first.pool.query("SELECT id, d::text, dt::text FROM wrong ORDER BY id")).rows).toEqual([
    { id: 1, d: null, dt: null },
    { id: 2, d: null, dt: "2024-01-01 00:00:00" },
  ]);
  expect(await compare({ ...job, tables: ["wrong"], lossy: ["zero-dates"], recheckMs: 10 })).toMatchObject({
    isEqual: true,
  });
});
