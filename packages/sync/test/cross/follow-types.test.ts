import { compare, copy, type Following, follow } from "@mirrorpool/sync";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { grantReplication, openPlace, type Place } from "./support.ts";

let mariadb: Place;
let copied: Place;
let postgres: Place;
let following: Following | undefined;

beforeAll(async () => {
  const settings = { wal_level: "logical" };
  [mariadb, copied, postgres] = await Promise.all([
    openPlace("mariadb"),
    openPlace("mariadb"),
    openPlace("postgres", 0, { settings }),
  ]);
  await Promise.all([grantReplication(mariadb), grantReplication(copied), grantReplication(postgres)]);
});
beforeEach(() => Promise.all([mariadb.clear(), copied.clear(), postgres.clear()]));
afterEach(async () => {
  await following?.remove();
  following = undefined;
});
afterAll(async () => {
  await Promise.all([mariadb, copied, postgres].map((each) => each?.[Symbol.asyncDispose]()));
});

const COLUMNS = `id int unsigned PRIMARY KEY, t1 tinyint(1), t tinyint, i1 tinyint unsigned, s2 smallint, m mediumint, mu mediumint unsigned, i int, u bigint unsigned, b bigint, z int(6) zerofill,
  de decimal(65,30), d2 decimal(10,0), d3 decimal(19,9), f float, dd double, y year, d date, dt datetime(6), d0 datetime, d3t datetime(3), ts timestamp(6) NULL, t0 timestamp NULL,
  ti time(6), ti0 time, ti3 time(3), e enum('a', 'it''s', 'b,c', 'back\\\\slash', ''), s set('x', 'y z', 'ä'), bi bit(33), b1 bit(1),
  vb varbinary(20), bn binary(8), tb tinyblob, lb longblob, lt longtext, tt tinytext, la varchar(50) CHARACTER SET latin1, uc varchar(20) CHARACTER SET ucs2, lv varchar(300), c char(4),
  js json, u6 uuid, i6 inet6, i4 inet4, twice int AS (t * 2) STORED, thrice int AS (t * 3) VIRTUAL`;
const NAMES =
  "id, t1, t, i1, s2, m, mu, i, u, b, z, de, d2, d3, f, dd, y, d, dt, d0, d3t, ts, t0, ti, ti0, ti3, e, s, bi, b1, vb, bn, tb, lb, lt, tt, la, uc, lv, c, js, u6, i6, i4";
const ROWS = [
  `1, 1, -128, 255, -32768, -8388608, 16777215, -2147483648, 18446744073709551615, -9223372036854775808, 42,
   -12345678901234567890123456789012345.123456789012345678901234567890, -9999999999, -1234567890.123456789, 3.40282e38, 1.7976931348623157e308, 2155, '9999-12-31',
   '9999-12-31 23:59:59.999999', '1000-01-01', '2024-02-29 01:02:03.045', '2038-01-19 03:14:07.999999', '1970-01-01 00:00:01', '23:59:59.999999', '00:00:01', '00:00:00.001', 'it''s', 'x,ä',
   b'100000000000000000000000000000001', 1, x'00ff0a00', x'6100', x'', x'5c6e5c090d00', 'tab\\t\\\\N \\0 🐘', '', 'äöü€', 'aäß', repeat('ö', 300), 'a', '{"b": 1, "a": [1e400]}',
   'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '::1', '10.0.0.1'`,
  `2, 0, 127, 0, 32767, 8388607, 0, 2147483647, 0, 9223372036854775807, 123456, 0, 9999999999, 0.000000001, 0.1, 5e-324, 1901, '0001-01-01', '0001-01-01', '2024-02-29 01:02:03', '2024-02-29',
   '1970-01-01 00:00:01', '2038-01-19 03:14:07', '00:00:00', '12:34:56', '01:00:00.5', '', '', 0, 0, '', '', '', '', '', '', '', '', '', '', 'null', NULL, '::ffff:10.0.0.1', '0.0.0.0'`,
  `3${", NULL".repeat(43)}`,
  `4, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 16777217, -0.1, 2000, '2024-02-29', '2024-02-29 00:00:00.1', '2024-02-29', '2024-02-29', '2024-02-29', '2024-02-29', '12:00:00.5', '00:00:00', '00:00:00',
   'back\\\\slash', 'y z', 1, 1, 'x', 'x', 'x', repeat('x', 100000), 'NULL', 'x', 'x', 'x', 'x', 'x', '"x"', 'f47ac10b-58cc-1372-8567-0e02b2c3d479', 'fe80::1:0:0:1', '255.255.255.255'`,
  `5, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2000, '2024-02-29', '2024-02-29', '2024-02-29', '2024-02-29', '2024-02-29', '2024-02-29', '12:00:00', '00:00:00', '00:00:00',
   'b,c', 'y z', 1, 1, 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', '"x"', '01890a5d-ac96-774b-bcce-b302099a8057', '1:0:0:2::3', '1.2.3.4'`,
];
/** Values that only MariaDB itself has. */
const OWN = `UPDATE everything SET ti = '-838:59:59.000001', ti0 = '-00:00:01', ti3 = '838:59:59.999', d = '0000-00-00', d0 = '2024-02-00', t0 = 0 WHERE id = 4`;

async function fill(rows: readonly string[]): Promise<void> {
  await using session = await mariadb.pool.connect();
  await session.query("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00'");
  for (const row of rows) await session.query(`INSERT INTO everything (${NAMES}) VALUES (${row})`);
  await session.query(
    "INSERT INTO everything (id, f, dd) SELECT 100 + seq, (RAND() - 0.5) * POW(10, RAND() * 60 - 30), (RAND() - 0.5) * POW(10, RAND() * 600 - 300) FROM seq_1_to_500",
  );
}

async function expectEqual(job: Parameters<typeof compare>[0]): Promise<void> {
  await following?.caughtUp({ timeoutMs: 30_000 });
  expect(await compare({ ...job, recheckMs: 10 })).toMatchObject({ isEqual: true, differences: [] });
}

test("all types of MariaDB follow to MariaDB with their extremes, as they are", async () => {
  await mariadb.run(`CREATE TABLE everything (${COLUMNS}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  const unicode = COLUMNS.replaceAll(/CHARACTER SET \w+/g, "");
  await copied.run(`CREATE TABLE everything (${unicode}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  const job = { from: mariadb.pool, to: copied.pool, tables: ["everything"] };
  following = await follow(job);
  await following.caughtUp({ timeoutMs: 30_000 });
  await fill(ROWS);
  await expectEqual(job);
  await using session = await mariadb.pool.connect();
  await session.query("SET SESSION sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00'");
  await session.query(OWN);
  await session.query("UPDATE everything SET t = 5, lt = 'y' WHERE id < 3");
  await session.query("UPDATE everything SET id = id + 1000 WHERE id IN (3, 4)");
  await session.query("DELETE FROM everything WHERE id = 2");
  await expectEqual(job);
  expect(following.stats()).toMatchObject({ conflicts: 0, reseeds: 0, interruptions: 0 });
});

test("all types of MariaDB follow to PostgreSQL; what is no value there stops it, and says so without the value", async () => {
  await mariadb.run(`CREATE TABLE everything (${COLUMNS}) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`);
  await copy({ from: mariadb.pool, to: postgres.pool, tables: ["everything"], createTables: true });
  const job = { from: mariadb.pool, to: postgres.pool, tables: ["everything"] };
  following = await follow({ ...job, begin: "compare" });
  await following.caughtUp({ timeoutMs: 30_000 });
  await mariadb.run("DELETE FROM everything");
  await fill(ROWS.map((row) => row.replace("\\0", "")));
  await expectEqual(job);
  await mariadb.run("UPDATE everything SET t = 5, lt = 'y' WHERE id < 3", "DELETE FROM everything WHERE id = 1");
  await expectEqual(job);
  await mariadb.run("UPDATE everything SET ti = '25:00:00', lt = 'secret' WHERE id = 4");
  const error = await following.ended.catch((reason: unknown) => reason);
  expect(error).toMatchObject({
    code: "VALUE_REFUSED",
    message: expect.stringContaining('ti of the row with the key ["4"]'),
  });
  expect(String(error)).not.toContain("secret");
  await mariadb.run("UPDATE everything SET ti = '24:00:00' WHERE id = 4");
});

const ONLY_POSTGRES = `id bigint PRIMARY KEY, b bool, i2 smallint, i4 int, i8 bigint, n numeric(20,4), nn numeric(65,30), f4 real, f8 float8, t text,
  v varchar(20), c char(5), ba bytea, u uuid, d date, ts timestamp, tz timestamptz, t6 time, ts0 timestamp(0), j json, bi bit(7),
  m mood, ttz timetz, iv interval, i inet, ci cidr, ia int[], ta text[], r int4range, x xml, mo money, pt point`;
const POSTGRES_ROWS = [
  `1, true, 32767, 2147483647, 9223372036854775807, 9999999999999999.9999, 12345678901234567890123456789012345.123456789012345678901234567890,
   3.4028235e38, 1.7976931348623157e308, E'tab\\t new\\nline \\r back\\\\slash \\\\N \\b \\f \\v \\u0001 quote'' " 🐘 ä', '', 'ab', '\\x00ff5c6e090a0d',
   'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '0001-01-01', '9999-12-31 23:59:59.999999', '1969-07-20 20:17:40.000001-05', '24:00:00', '2024-02-29 12:34:56',
   '{"b":1, "a": 1e400,"a":2}', '1010101', 'so "so"', '12:00:00+05:30', '1 year -2 days 3.000001 s', '10.0.0.1', '10.0.0.0/8', '{1,NULL,3}',
   '{"a,b","c\\"d",NULL,""}', '[1,10)', '<a>&amp;</a>', 12.34, '(1.5,-2)'`,
  `-2, false, -32768, -2147483648, -9223372036854775808, -0.0001, -0.000000000000000000000000000001, 1.4e-45, 5e-324, '', NULL, '', '', NULL, '9999-12-31',
   '0001-01-01 00:00:00', '9999-12-31 23:59:59.999999+00', '00:00:00.5', NULL, 'null', '0000000', 'glad', NULL, '-1 mon', '::1', NULL, '{}', '{}', 'empty', NULL, NULL, NULL`,
  `3, NULL${", NULL".repeat(30)}`,
  `4, true, 0, 0, 0, 0, 0, 0.1, 0.1, 'NULL', 'N', ' a', '\\x5c78', '00000000-0000-0000-0000-000000000000', '2024-02-29', '2024-02-29 12:34:56.7', '2024-02-29 12:34:56.7+00',
   '12:34:56.78', '1000-01-01 00:00:00', '{}', '0000001', '1', '00:00:00+00', '0', '1.2.3.4/8', '::/0', '{0}', '{NULL}', '(,)', '<b/>', 0, '(0,0)'`,
];

test("all types of PostgreSQL follow to MariaDB; what it would round or lose stops it", async () => {
  await postgres.run(`CREATE TYPE mood AS ENUM ('glad', 'so "so"', '1')`, `CREATE TABLE everything (${ONLY_POSTGRES})`);
  const job = { from: postgres.pool, to: copied.pool, lossy: ["as-text"] as const };
  await copy({ ...job, createTables: true });
  await copied.run("ALTER TABLE everything MODIFY ts datetime(3)");
  following = await follow({ ...job, begin: "compare" });
  await following.caughtUp({ timeoutMs: 30_000 });
  await postgres.run(
    "SET TimeZone = 'UTC'",
    ...POSTGRES_ROWS.map((row) => `INSERT INTO everything VALUES (${row.replaceAll(".999999'", ".999'")})`),
    "INSERT INTO everything (id, f4, f8) SELECT 100 + n, (random() - 0.5) * 10 ^ (random() * 60 - 30), (random() - 0.5) * 10 ^ (random() * 600 - 300) FROM generate_series(1, 500) n",
    "UPDATE everything SET t = repeat(md5('x'), 1000) WHERE id < 3",
    "UPDATE everything SET b = NOT b, id = id + 1000 WHERE id IN (1, 3)",
    "DELETE FROM everything WHERE id = 4",
  );
  await expectEqual(job);
  await postgres.run("UPDATE everything SET ts = '2024-01-01 00:00:00.0001' WHERE id = -2");
  expect(await following.ended.catch((reason: unknown) => reason)).toMatchObject({
    code: "VALUE_REFUSED",
    message: expect.stringContaining("more than 3 digits"),
  });
});
