import { describe, expect, test } from "vitest";
import { inspect } from "../src/index.ts";
import { corpus } from "./corpus.ts";

const intent = (sql: string): string => inspect(sql, "postgres").intent;

describe("reads that ORMs generate go to mirrors", () => {
  test.each(corpus("orm-reads"))("%s", (sql) => {
    expect(intent(sql)).toBe("read");
  });
});

describe("no command of the manual is a read", () => {
  test.each(corpus("commands"))("%s", (sql) => {
    expect(intent(sql)).toBe("write");
  });
});

describe("a parenthesis that could belong to an unknown function is no read", () => {
  test.each([
    ["unknown function", "SELECT f(1)"],
    ["of a schema", "SELECT s.count(1)"],
    ["of a schema, with the name of a construct", "SELECT s.coalesce(1)"],
    ["in FROM", "SELECT * FROM f(1) AS t(a)"],
    ["in a function", "SELECT lower(f(1))"],
    ["in an index", "SELECT a[f(1)] FROM t"],
    ["after DISTINCT ON", "SELECT DISTINCT ON (a) over(1) FROM t"],
    ["after OPERATOR", "SELECT lower(a) OPERATOR(pg_catalog.+) f(1) FROM t"],
    ["after a WITH query in parentheses", "WITH x AS (SELECT 1) (SELECT 1) ORDER BY f(1)"],
    ["as a sampling method", "SELECT * FROM t TABLESAMPLE now(1)"],
    ["as a sampling method of a schema", "SELECT * FROM t TABLESAMPLE pg_catalog.lower(1)"],
    ["named as a clause", "SELECT by(1), sets(2), cube(3), over(4), join(5)"],
    ["quoted", 'SELECT "count"(*) FROM t'],
    ["after a name", "SELECT * FROM t x(a, b)"],
    ["with a column definition list in FROM", "SELECT * FROM t, f(a) AS (b int)"],
  ])("%s", (_, sql) => {
    expect(intent(sql)).toBe("write");
  });
});

describe("a parenthesis that cannot be a call does no harm", () => {
  test.each([
    ["alias with columns", "SELECT * FROM (SELECT 1) AS t(a)"],
    ["alias with columns after a subquery, without AS", "SELECT * FROM (VALUES (1, 2)) t(a, b)"],
    ["alias with columns after a function, without AS", "SELECT * FROM generate_series(1, 2) f(n)"],
    ["column definitions", "SELECT * FROM jsonb_to_record($1) AS f(a int, b varchar(5))"],
    ["WITH list", "WITH RECURSIVE f(a) AS (SELECT 1), g(b) AS NOT MATERIALIZED (SELECT 2) SELECT * FROM f, g"],
    ["modifier of an unknown type", "SELECT a::geometry(point, 4326), b::s.t(1), CAST(c AS s.t(1)) FROM t"],
    ["clauses", "SELECT 1 FROM a NATURAL JOIN (SELECT 1) b GROUP BY CUBE (x), GROUPING SETS ((y)) ORDER BY (z)"],
    ["joins in parentheses", "SELECT * FROM a LEFT JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x"],
    ["windows", "SELECT count(*) FILTER (WHERE a) OVER (PARTITION BY (b)) FROM t WINDOW w AS (ORDER BY c)"],
  ])("%s", (_, sql) => {
    expect(intent(sql)).toBe("read");
  });
});

describe("what writes or locks is no read, wherever it stands", () => {
  test.each([
    "WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x",
    "WITH x AS (SELECT 1), y AS (WITH z AS (DELETE FROM t RETURNING 1) TABLE z) SELECT * FROM y",
    "WITH x AS (SELECT 1) UPDATE t SET a = 1",
    "SELECT * INTO a FROM b",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM (SELECT * FROM t FOR KEY SHARE) x",
    "SELECT count(*), nextval('s')",
  ])("%s", (sql) => {
    expect(intent(sql)).toBe("write");
  });
});

describe("what must be seen as it is on the primary is no read for a mirror", () => {
  test.each([
    "SELECT * FROM pg_class",
    'SELECT * FROM "pg_catalog"."pg_class"',
    "SELECT * FROM information_schema.tables",
    "SELECT 'a'::regclass",
    'select * from "public"."knex_migrations_lock"',
    'select * from "kysely_migration"',
    'SELECT * FROM "migrations"',
    'SELECT * FROM "typeorm_metadata"',
    'SELECT * FROM "_prisma_migrations"',
    "SHOW transaction_read_only",
    "SELECT pg_is_in_recovery()",
    "SELECT version(), current_setting('a')",
    "SELECT pg_catalog.format_type(a.atttypid, 1) FROM pg_catalog.pg_attribute a",
    "EXPLAIN SELECT * FROM pg_class",
    "SELECT 1; SELECT * FROM pg_class",
  ])("%s", (sql) => {
    expect(inspect(sql, "postgres")).toMatchObject({ intent: "write", repeatable: true });
  });
});

describe("what may have an effect is not repeatable, whatever else it reads", () => {
  test.each([
    "SELECT currval('s'), version()",
    "SELECT pg_advisory_lock(1) FROM pg_class",
    "SELECT pg_switch_wal()",
    "SELECT query_to_xml('DELETE FROM t', true, true, '')",
    "SELECT f(relname) FROM pg_class",
    "SELECT set_config('a', current_setting('b'), false)",
    "SELECT * FROM pg_class FOR UPDATE",
    "WITH x AS (DELETE FROM t RETURNING 1) SELECT * FROM pg_class",
    "SELECT * INTO a FROM pg_class",
    "DELETE FROM pg_class",
    "SELECT * FROM pg_class; DELETE FROM t",
    "SELECT * FROM pg_logical_slot_get_changes('s', NULL, NULL)",
    "SHOW a; COMMIT",
    "SELECT 1",
  ])("%s", (sql) => {
    expect(inspect(sql, "postgres").repeatable).toBeUndefined();
  });
});

test("keywords are folded as PostgreSQL folds them: ASCII only", () => {
  expect(intent("SELECT LO\u212AER(1)")).toBe("write"); // the Kelvin sign
  expect(intent("select coun\u0054(1)")).toBe("read");
  expect(intent("SELECT 1 FROM a\u00a0FOR\u00a0UPDATE")).toBe("read"); // no-break spaces: all of it is one name
});
