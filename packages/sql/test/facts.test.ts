import { expect, test } from "vitest";
import { inspect, type StatementFacts } from "../src/index.ts";

const plain: StatementFacts = {
  intent: "write",
  transaction: "none",
  session: "none",
  transactional: true,
  multiple: false,
  stream: false,
  command: "",
};

const table: readonly [sql: string, expected: Partial<StatementFacts>][] = [
  ["", { command: "EMPTY" }],
  [" ; ; -- nothing", { command: "EMPTY" }],
  ["SELECT 1", { command: "SELECT", intent: "read" }],
  ["((SELECT 1));", { command: "SELECT", intent: "read" }],
  ["WITH x AS (SELECT 1) TABLE x", { command: "WITH", intent: "read" }],
  ["SELECT f(1)", { command: "SELECT" }],
  ["INSERT INTO t VALUES (1)", { command: "INSERT" }],
  ["SHOW search_path", { command: "SHOW", repeatable: true }],
  ["EXPLAIN SELECT 1", { command: "EXPLAIN", intent: "read" }],
  ["EXPLAIN (ANALYZE, FORMAT json) SELECT 1", { command: "EXPLAIN", intent: "read" }],
  ["EXPLAIN (SELECT 1)", { command: "EXPLAIN", intent: "read" }],
  ["EXPLAIN DELETE FROM t", { command: "EXPLAIN" }],
  ["EXPLAIN ANALYZE CREATE TEMP TABLE x AS SELECT 1", { command: "EXPLAIN", session: "pinned" }],

  ['UPDATE "order" SET item = $1 WHERE id IN ($2)', { command: "UPDATE", leavesNothing: true }],
  ["DELETE FROM t USING (SELECT 1) AS s WHERE (a = 1) RETURNING (b)", { command: "DELETE", leavesNothing: true }],
  ["UPDATE t SET a = nextval('s')", { command: "UPDATE" }],
  ['UPDATE t SET a = public."Next" (1)', { command: "UPDATE" }],
  ["UPDATE t SET a = DEFAULT", { command: "UPDATE" }],
  ["UPDATE t SET a = 1; UPDATE t SET a = 2", { command: "UPDATE", multiple: true }],
  ["EXPLAIN ANALYZE UPDATE t SET a = 1", { command: "EXPLAIN" }],

  ["BEGIN", { command: "BEGIN", transaction: "begin", transactional: false, canWait: true }],
  ["begin work;", { command: "BEGIN", transaction: "begin", transactional: false, canWait: true }],
  [
    "/* a */ BEGIN TRANSACTION ISOLATION LEVEL repeatable read, READ WRITE NOT DEFERRABLE -- b",
    { command: "BEGIN", transaction: "begin", transactional: false, canWait: true },
  ],
  [
    "START TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE",
    { command: "START TRANSACTION", transaction: "begin", transactional: false, canWait: true },
  ],
  ["BEGIN ISOLATION LEVEL SERIALISABLE", { command: "BEGIN", transaction: "begin", transactional: false }],
  ["BEGIN READ ONLY,", { command: "BEGIN", transaction: "begin", transactional: false }],
  ["BEGIN WORK TRANSACTION", { command: "BEGIN", transaction: "begin", transactional: false }],
  [`BEGIN ${"READ ONLY, ".repeat(6)}READ NOTHING`, { command: "BEGIN", transaction: "begin", transactional: false }],
  ["BEGIN; SELECT 1", { command: "BEGIN", transaction: "mixed", transactional: false, multiple: true }],
  ["start transaction", { command: "START TRANSACTION", transaction: "begin", transactional: false, canWait: true }],
  ["COMMIT", { command: "COMMIT", transaction: "commit", transactional: false }],
  ["END WORK", { command: "COMMIT", transaction: "commit", transactional: false }],
  ["COMMIT AND NO CHAIN", { command: "COMMIT", transaction: "commit", transactional: false }],
  ["COMMIT AND CHAIN", { command: "COMMIT", transaction: "chain", transactional: false }],
  ["ROLLBACK", { command: "ROLLBACK", transaction: "rollback", transactional: false }],
  ["ABORT WORK AND CHAIN", { command: "ROLLBACK", transaction: "chain", transactional: false }],
  ["SAVEPOINT a", { command: "SAVEPOINT", transaction: "savepoint", transactional: false, savepoint: "a" }],
  [
    "ROLLBACK WORK TO a",
    { command: "ROLLBACK TO SAVEPOINT", transaction: "rollback-to", transactional: false, savepoint: "a" },
  ],
  ["RELEASE a", { command: "RELEASE SAVEPOINT", transaction: "release", transactional: false, savepoint: "a" }],
  ["PREPARE TRANSACTION 'a'", { command: "PREPARE TRANSACTION", transaction: "prepare", transactional: false }],
  ["COMMIT PREPARED 'a'", { command: "COMMIT PREPARED", transactional: false }],

  ["SET search_path = a, pg_temp", { command: "SET", session: "setting" }],
  ["SET ROLE bob", { command: "SET", session: "setting" }],
  ["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", { command: "SET", session: "setting" }],
  ["SET local.x = 1", { command: "SET", session: "setting" }],
  ["RESET ALL", { command: "RESET", session: "setting" }],
  ["SET LOCAL a = 1", { command: "SET", session: "local" }],
  ["SET TRANSACTION READ ONLY", { command: "SET", session: "local" }],
  ["SET CONSTRAINTS ALL DEFERRED", { command: "SET", session: "local" }],
  ["SELECT set_config('a.b', $1, false)", { command: "SELECT", session: "setting" }],
  ["SELECT pg_catalog.set_config('a.b', $1, $2) AS x", { command: "SELECT", session: "setting" }],
  ["SELECT set_config('a', 'b', true), set_config('c', $1::text, true)", { command: "SELECT", session: "local" }],
  ["SELECT set_config('a', lower(x), true) FROM t", { command: "SELECT", session: "local" }],
  ["SELECT set_config('a', 'b', true), set_config('c', 'd', false)", { command: "SELECT", session: "setting" }],
  ["SELECT set_config('a', nextval('s')::text, false)", { command: "SELECT", session: "pinned" }],
  ["SELECT set_config('a', x, false) FROM t", { command: "SELECT", session: "pinned" }],
  ["INSERT INTO t SELECT set_config('a', 'b', false)", { command: "INSERT", session: "pinned" }],

  ["LISTEN a", { command: "LISTEN", session: "pinned" }],
  ["UNLISTEN *", { command: "UNLISTEN", session: "pinned" }],
  ["SELECT pg_advisory_lock(1)", { command: "SELECT", session: "pinned" }],
  ['SELECT pg_catalog."pg_try_advisory_lock"(1)', { command: "SELECT", session: "pinned" }],
  ["SELECT pg_advisory_xact_lock(1)", { command: "SELECT" }],
  ["PREPARE a AS SELECT 1", { command: "PREPARE", session: "prepared" }],
  ["PREPARE transaction AS SELECT 1", { command: "PREPARE", session: "prepared" }],
  ["DEALLOCATE ALL", { command: "DEALLOCATE", session: "prepared" }],
  ["DISCARD ALL", { command: "DISCARD", session: "setting", transactional: false }],
  ["DISCARD TEMP", { command: "DISCARD", session: "pinned", transactional: false }],
  ["LOAD 'x'", { command: "LOAD", session: "pinned" }],
  ["CREATE TEMP TABLE a (b int)", { command: "CREATE TABLE", session: "pinned" }],
  ["CREATE OR REPLACE TEMPORARY VIEW a AS SELECT 1", { command: "CREATE VIEW", session: "pinned" }],
  ["SELECT * INTO TEMP a FROM b", { command: "SELECT", session: "pinned" }],
  ["INSERT INTO temp VALUES (1)", { command: "INSERT" }],
  ["INSERT INTO pg_temp.a VALUES (1)", { command: "INSERT", session: "pinned" }],

  ["DECLARE c CURSOR FOR SELECT 1", { command: "DECLARE", stream: true }],
  ["DECLARE c CURSOR WITH HOLD FOR SELECT 1", { command: "DECLARE", stream: true, session: "pinned" }],
  ["FETCH ALL FROM c", { command: "FETCH", stream: true }],
  ["COPY t (a, b) FROM STDIN (FORMAT csv)", { command: "COPY", stream: true }],
  ["COPY (SELECT 1) TO STDOUT", { command: "COPY", stream: true, intent: "read" }],
  ["COPY (WITH a AS (SELECT 1) TABLE a) TO STDOUT (FORMAT csv)", { command: "COPY", stream: true, intent: "read" }],
  ["COPY s.t (a, b) TO STDOUT WITH (FORMAT csv)", { command: "COPY", stream: true, intent: "read" }],
  ["COPY pg_class TO STDOUT", { command: "COPY", stream: true, repeatable: true }],
  ["COPY (SELECT f(1)) TO STDOUT", { command: "COPY", stream: true }],
  ["COPY (SELECT a FROM t FOR UPDATE) TO STDOUT", { command: "COPY", stream: true }],
  ["COPY (DELETE FROM t RETURNING a) TO STDOUT", { command: "COPY", stream: true }],
  ["COPY (WITH a AS (DELETE FROM t RETURNING b) TABLE a) TO STDOUT", { command: "COPY", stream: true }],
  ["COPY (SELECT set_config('a.b', 'c', false)) TO STDOUT", { command: "COPY", stream: true, session: "pinned" }],
  ["COPY t TO '/tmp/x'", { command: "COPY" }],
  ["COPY t TO PROGRAM 'stdout'", { command: "COPY" }],
  [`COPY t TO "stdout"`, { command: "COPY" }],
  ["COPY t FROM '/tmp/x'", { command: "COPY" }],

  ["VACUUM t", { command: "VACUUM", transactional: false }],
  ["CREATE DATABASE a", { command: "CREATE DATABASE", transactional: false }],
  ["CREATE UNIQUE INDEX CONCURRENTLY a ON b (c)", { command: "CREATE INDEX", transactional: false }],
  ["CREATE INDEX a ON b (c)", { command: "CREATE INDEX" }],
  ["REINDEX TABLE a", { command: "REINDEX", transactional: false }],
  ["ALTER SYSTEM SET a = 1", { command: "ALTER SYSTEM", transactional: false }],
  ["CALL p()", { command: "CALL", transactional: false }],
  ["DO $$ COMMIT $$", { command: "DO", transactional: false }],
  ["ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO a", { command: "ALTER DEFAULT PRIVILEGES" }],

  ["SELECT 1; SELECT 2;", { command: "SELECT", intent: "read", multiple: true }],
  ["SELECT 1; DELETE FROM t", { command: "SELECT", multiple: true }],
  ["BEGIN; DELETE FROM t; COMMIT", { command: "BEGIN", multiple: true, transaction: "mixed", transactional: false }],
  ["SELECT 1; COMMIT", { command: "SELECT", multiple: true, transaction: "mixed", transactional: false }],
  ["SET a = 1; SET b = 2", { command: "SET", multiple: true, session: "setting" }],
  ["PREPARE a AS SELECT 1; SELECT 1", { command: "PREPARE", multiple: true, session: "pinned" }],
  ["SET a = 1; SELECT 1", { command: "SET", multiple: true, session: "setting" }],
  ["SET a = 1; DELETE FROM t", { command: "SET", multiple: true, session: "pinned" }],
  ["SET LOCAL a = 1; DELETE FROM t", { command: "SET", multiple: true, session: "local" }],
  ["CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN 1 END; END", { command: "CREATE FUNCTION" }],
  ["CREATE RULE r AS ON INSERT TO t DO (DELETE FROM a; DELETE FROM b)", { command: "CREATE RULE" }],
];

test.each(table)("%s", (sql, expected) => {
  expect(inspect(sql, "postgres")).toEqual({ ...plain, ...expected });
});

test.each([
  "SELECT 'unterminated",
  'SELECT "unterminated',
  "SELECT /* unterminated /* */",
  "SELECT $a$ unterminated $b$",
  "SELECT 1 \0; COMMIT",
  'SELECT U&"d\\0061t"',
  "SELECT \\ 1",
  "FROB THE KNOB",
  "start the engine",
  "123",
])("whatever it cannot understand may do anything: %s", (sql) => {
  expect(inspect(sql, "postgres")).toEqual({
    ...plain,
    transaction: "mixed",
    session: "pinned",
    transactional: false,
    // a word that is no command is certainly refused; what could not be read might be
    command: /^[A-Za-z]+ THE|^start|^123/.test(sql) ? "UNKNOWN" : "UNREADABLE",
  });
});

test.each(["SELECT 'a\\'", "SELECT 'a\\' ; DELETE FROM t --'", "SELECT 'a\\\\\\'"])(
  "a text that standard_conforming_strings = off would cut otherwise is no read and not transactional: %s",
  (sql) => {
    expect(inspect(sql, "postgres")).toMatchObject({ intent: "write", transactional: false });
  },
);

test.each(["SELECT 'a\\\\'", "SELECT 'a\\b'", "SELECT E'a\\'b'"])(
  "a backslash that swallows no quote leaves no doubt: %s",
  (sql) => {
    expect(inspect(sql, "postgres")).toMatchObject({ intent: "read", transactional: true });
  },
);

test("facts cannot be changed", () => {
  for (const sql of ["SELECT 1", "SELECT 1; SELECT 2", "", "'"]) {
    expect(Object.isFrozen(inspect(sql, "postgres"))).toBe(true);
  }
});

test("the command never holds what the user wrote", () => {
  for (const sql of ["secret", "CREATE secret x", "ALTER secret", "DROP TABLE secret", "SET secret = 1", "'secret"]) {
    expect(inspect(sql, "postgres").command).not.toMatch(/secret/i);
  }
});
