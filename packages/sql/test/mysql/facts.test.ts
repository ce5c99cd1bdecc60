import { expect, test } from "vitest";
import { inspect, type StatementFacts } from "../../src/index.ts";

const plain: StatementFacts = {
  intent: "write",
  transaction: "none",
  session: "none",
  transactional: true,
  multiple: false,
  stream: false,
  command: "",
};

/** Commits what is open, and has its effect at once. */
const commits = { implicitCommit: true, transactional: false } as const;
/** Does so on one of the systems, or in some cases. */
const unsure = { transaction: "mixed", transactional: false } as const;
const anything = { transaction: "mixed", session: "pinned", transactional: false } as const;

const table: readonly [sql: string, expected: Partial<StatementFacts>][] = [
  ["", { command: "EMPTY" }],
  [" ; -- \n;# nothing", { command: "EMPTY" }],
  ["SELECT 1", { command: "SELECT", intent: "read" }],
  ["((SELECT 1)) UNION (SELECT 2);", { command: "SELECT", intent: "read" }],
  ["TABLE t", { command: "TABLE", intent: "read" }],
  ["VALUES ROW(1, 2), ROW(3, 4)", { command: "VALUES", intent: "read" }],
  ["SELECT f(1)", { command: "SELECT" }],
  // MySQL's own, but MariaDB calls a function of the user
  ["SELECT a FROM t GROUP BY ROLLUP (a)", { command: "SELECT" }],
  ["SELECT a FROM t GROUP BY a WITH ROLLUP", { command: "SELECT", intent: "read" }],
  ["SELECT LAST_INSERT_ID()", { command: "SELECT" }],
  ["INSERT INTO t VALUES (1) RETURNING id", { command: "INSERT" }],
  ["REPLACE t VALUES (1)", { command: "REPLACE" }],
  ["DO SLEEP(1)", { command: "DO" }],
  ["SHOW TABLES", { command: "SHOW", repeatable: true }],
  ["SHOW VARIABLES LIKE 'read_only'", { command: "SHOW", repeatable: true }],
  ["SHOW WARNINGS", { command: "SHOW" }],
  ["SHOW COUNT(*) ERRORS", { command: "SHOW" }],
  ["SHOW TABLES WHERE f(1)", { command: "SHOW" }],
  ["DESC t", { command: "DESCRIBE", repeatable: true }],
  ["EXPLAIN d.t a", { command: "EXPLAIN", repeatable: true }],
  ["EXPLAIN EXTENDED SELECT 1", { command: "EXPLAIN", intent: "read" }],
  ["DESCRIBE FORMAT = JSON SELECT 1", { command: "EXPLAIN", intent: "read" }],
  ["EXPLAIN FORMAT=JSON INTO @a SELECT 1", { command: "EXPLAIN", session: "pinned" }],
  ["EXPLAIN ANALYZE DELETE FROM t", { command: "EXPLAIN" }],
  ["ANALYZE FORMAT=JSON SELECT 1", { command: "ANALYZE", intent: "read" }],
  ["ANALYZE TABLE t", { command: "ANALYZE", ...commits }],
  ["SET STATEMENT max_statement_time = 1, a = 'b' FOR SELECT 1", { command: "SET STATEMENT", intent: "read" }],
  ["SET STATEMENT a = f(1) FOR SELECT 1", { command: "SET", ...anything }],

  ["BEGIN", { command: "BEGIN", transaction: "begin", canWait: true, ...commits }],
  ["begin work;", { command: "BEGIN", transaction: "begin", canWait: true, ...commits }],
  ["START TRANSACTION READ ONLY", { command: "START TRANSACTION", transaction: "begin", canWait: true, ...commits }],
  ["START TRANSACTION WITH CONSISTENT SNAPSHOT", { command: "START TRANSACTION", transaction: "begin", ...commits }],
  ["COMMIT WORK AND NO CHAIN RELEASE", { command: "COMMIT", transaction: "commit", transactional: false }],
  ["COMMIT AND CHAIN", { command: "COMMIT", transaction: "chain", transactional: false }],
  ["ROLLBACK WORK AND CHAIN NO RELEASE", { command: "ROLLBACK", transaction: "chain", transactional: false }],
  ["ROLLBACK", { command: "ROLLBACK", transaction: "rollback", transactional: false }],
  ["SAVEPOINT A", { command: "SAVEPOINT", transaction: "savepoint", transactional: false, savepoint: "a" }],
  [
    "ROLLBACK TO `A`",
    { command: "ROLLBACK TO SAVEPOINT", transaction: "rollback-to", transactional: false, savepoint: "a" },
  ],
  [
    "RELEASE SAVEPOINT a",
    { command: "RELEASE SAVEPOINT", transaction: "release", transactional: false, savepoint: "a" },
  ],
  ["XA START 'x'", { command: "XA", ...anything }],
  ["XA RECOVER", { command: "XA", transactional: false }],

  ["CREATE TABLE t (a int)", { command: "CREATE TABLE", ...commits }],
  ["CREATE OR REPLACE TABLE t (a int)", { command: "CREATE TABLE", ...commits }],
  ["CREATE TEMPORARY TABLE t (a int)", { command: "CREATE TABLE", session: "pinned", transactional: false }],
  ["DROP TEMPORARY TABLE t", { command: "DROP TABLE", transactional: false }],
  ["DROP TABLE t", { command: "DROP TABLE", ...commits }],
  ["ALTER TABLE t ADD b int", { command: "ALTER TABLE", ...commits }],
  ["CREATE UNIQUE INDEX i ON t (a)", { command: "CREATE INDEX", ...commits }],
  ["CREATE DEFINER = `a`@`b` VIEW v AS SELECT 1", { command: "CREATE VIEW", ...commits }],
  ["TRUNCATE t", { command: "TRUNCATE", ...commits }],
  ["RENAME TABLE a TO b", { command: "RENAME", ...commits }],
  ["GRANT SELECT ON d.* TO a@localhost", { command: "GRANT", ...commits }],
  ["SET PASSWORD = 'x'", { command: "SET", ...commits }],
  ["SET DEFAULT ROLE a TO b", { command: "SET", ...commits }],
  ["OPTIMIZE TABLE t", { command: "OPTIMIZE", ...commits }],
  ["FLUSH TABLES", { command: "FLUSH", ...commits }],
  ["FLUSH TABLES WITH READ LOCK", { command: "FLUSH", session: "pinned", ...commits }],
  ["LOCK TABLES t READ", { command: "LOCK TABLES", session: "pinned", ...commits }],
  ["LOCK INSTANCE FOR BACKUP", { command: "LOCK", session: "pinned", transactional: false }],
  ["UNLOCK TABLES", { command: "UNLOCK", session: "pinned", ...unsure }],
  ["START REPLICA", { command: "START", ...unsure }],
  ["RESET MASTER", { command: "RESET", ...unsure }],
  ["CHANGE MASTER TO MASTER_HOST = 'x'", { command: "CHANGE", ...unsure }],
  ["KILL 5", { command: "KILL", transactional: false }],
  ["CREATE FUNCTION f() RETURNS int RETURN 1", { command: "CREATE FUNCTION", ...commits }],
  ["CREATE PROCEDURE p() BEGIN SELECT 1; COMMIT; END", { command: "CREATE PROCEDURE", ...anything }],
  [
    "CREATE DEFINER=a@b TRIGGER x BEFORE INSERT ON t FOR EACH ROW BEGIN SET @a = 1; END",
    { command: "CREATE TRIGGER", ...anything },
  ],
  ["BEGIN NOT ATOMIC SELECT 1; END", { command: "BEGIN NOT ATOMIC", ...anything }],
  ["l: LOOP SELECT 1; END LOOP", { command: "BEGIN NOT ATOMIC", ...anything }],
  ["IF 1 THEN DELETE FROM t; END IF", { command: "IF", ...anything }],

  ["SET time_zone = '+00:00'", { command: "SET", session: "setting" }],
  ["SET SESSION a = 1, b = ON, @@session.c := DEFAULT", { command: "SET", session: "setting" }],
  ["SET NAMES utf8mb4 COLLATE utf8mb4_bin", { command: "SET", session: "setting" }],
  ["SET CHARACTER SET utf8", { command: "SET", session: "setting" }],
  ["SET ROLE a", { command: "SET", session: "setting" }],
  ["SET sql_mode = CONCAT(@@sql_mode, ',ANSI')", { command: "SET", session: "setting" }],
  ["SET sql_mode = (SELECT a FROM t)", { command: "SET", session: "pinned" }],
  ["SET a = f(1)", { command: "SET", session: "pinned" }],
  ["SET @a = 1, @b = 'x', @c = ?", { command: "SET", session: "setting" }],
  ["SET @a = @b", { command: "SET", session: "pinned" }],
  ["SET @a = (SELECT 1)", { command: "SET", session: "pinned" }],
  ["SET timestamp = 1", { command: "SET", session: "pinned" }],
  ["SET insert_id = 5", { command: "SET", session: "pinned" }],
  ["SET completion_type = 1", { command: "SET", session: "pinned" }],
  ["SET GLOBAL a = 1, b = 2", { command: "SET", transactional: false }],
  ["SET @@global.a = 1", { command: "SET", transactional: false }],
  ["SET PERSIST a = 1", { command: "SET", transactional: false }],
  ["SET GLOBAL a = 1, SESSION b = 2", { command: "SET", session: "pinned", transactional: false }],
  ["SET autocommit = 1", { command: "SET", session: "setting", ...unsure }],
  ["SET @@session.autocommit = ON, a = 1", { command: "SET", session: "setting", ...unsure }],
  ["SET autocommit = 0", { command: "SET", ...anything }],
  ["SET autocommit = ?", { command: "SET", ...anything }],
  ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY", { command: "SET", session: "setting" }],
  ["SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", { command: "SET", session: "setting" }],
  ["SET SESSION TRANSACTION READ WRITE", { command: "SET", session: "pinned" }],
  ["SET tx_read_only = 0", { command: "SET", session: "pinned" }],
  ["SET @@transaction_isolation = 'SERIALIZABLE'", { command: "SET", session: "pinned" }],
  ["SET GLOBAL TRANSACTION READ ONLY", { command: "SET", transactional: false }],
  ["USE db", { command: "USE", session: "setting" }],
  ["PREPARE s FROM 'SELECT 1'", { command: "PREPARE", session: "prepared" }],
  ["PREPARE s FROM @a", { command: "PREPARE", session: "pinned" }],
  ["DROP PREPARE s", { command: "DROP PREPARE", session: "prepared" }],
  ["DEALLOCATE PREPARE s", { command: "DEALLOCATE", session: "prepared" }],
  ["EXECUTE s USING @a", { command: "EXECUTE", ...anything }],
  ["EXECUTE IMMEDIATE 'COMMIT'", { command: "EXECUTE", ...anything }],
  ["CALL p(1)", { command: "CALL", ...unsure }],
  ["CALL p(@a)", { command: "CALL", ...anything }],

  ["SELECT 1 INTO @a", { command: "SELECT", session: "pinned" }],
  ["SELECT 1, 2 INTO x, @b", { command: "SELECT", session: "pinned" }],
  ["SELECT @a := 1", { command: "SELECT", session: "pinned" }],
  ["UPDATE t SET a = (@i := @i + 1)", { command: "UPDATE", session: "pinned" }],
  ["SELECT @a", { command: "SELECT", repeatable: true }],
  ["SELECT @@read_only", { command: "SELECT", repeatable: true }],
  ["SELECT GET_LOCK('a', 1)", { command: "SELECT", session: "pinned" }],
  ["DO RELEASE_LOCK('a')", { command: "DO", session: "pinned" }],
  ["SELECT IS_USED_LOCK('a')", { command: "SELECT", repeatable: true }],
  ["HANDLER t OPEN", { command: "HANDLER", session: "pinned", transactional: false }],
  ["GET DIAGNOSTICS @a = NUMBER", { command: "GET DIAGNOSTICS", session: "pinned" }],
  ["LOAD DATA LOCAL INFILE 'x' INTO TABLE t", { command: "LOAD DATA LOCAL", stream: true }],
  [
    "LOAD DATA CONCURRENT LOCAL INFILE 'x' INTO TABLE t (@a)",
    { command: "LOAD DATA LOCAL", stream: true, session: "pinned" },
  ],
  ["LOAD DATA INFILE 'x' INTO TABLE t", { command: "LOAD DATA" }],

  ["SELECT 1; SELECT 2;", { command: "SELECT", intent: "read", multiple: true }],
  ["SELECT 1; DELETE FROM t", { command: "SELECT", multiple: true }],
  ["INSERT INTO t VALUES (1); CREATE TABLE x (a int)", { command: "INSERT", multiple: true, ...unsure }],
  ["SET a = 1; SET b = 2", { command: "SET", multiple: true, session: "setting" }],
  ["SELECT 1; BEGIN NOT ATOMIC COMMIT; END", { command: "SELECT", multiple: true, ...anything }],
  ["SELECT 1; SHOW TABLES", { command: "SELECT", multiple: true, repeatable: true }],

  ["/*!40101 SET NAMES utf8 */", { command: "SET", session: "setting" }],
  ["SELECT /*!80000 a, */ b FROM t", { command: "SELECT", transactional: false }],
  ["/*!80000 COMMIT */", { command: "COMMIT", ...unsure }],
  ["/*M! SET a = 1 */", { command: "SET", session: "pinned", transactional: false }],
  ["SELECT /*+ MAX_EXECUTION_TIME(1000) */ a FROM t", { command: "SELECT", intent: "read" }],
  ["SELECT 'it\\'s'", { command: "SELECT", transactional: false }],
  ["SELECT 'C:\\\\'", { command: "SELECT", intent: "read" }],
];

test.each(table)("%s", (sql, expected) => {
  expect(inspect(sql, "mysql")).toEqual({ ...plain, ...expected });
});

test.each([
  "SELECT 'unterminated",
  'SELECT "unterminated',
  "SELECT `unterminated",
  "SELECT @`unterminated",
  "SELECT /* unterminated",
  "SELECT /*! unterminated",
  "SELECT /*M! ' */",
  "SELECT /*+ QB_NAME(`a */",
  "SELECT 1 \0; COMMIT",
  "SELECT \\ 1",
  "FROB THE KNOB",
  "start the engine",
  "DELIMITER //",
  "123",
])("whatever it cannot understand may do anything: %s", (sql) => {
  const isRefused = /^(?:FROB|start|DELIMITER|123)/.test(sql);
  const command = isRefused ? "UNKNOWN" : "UNREADABLE";
  expect(inspect(sql, "mysql")).toEqual({ ...plain, ...anything, command });
});

test.each<[sql: string, sqlMode: string, intent: string]>([
  ["SELECT 'it\\'s' FROM t", "", "read"],
  ["SELECT 'it\\'s' FROM t", "STRICT_TRANS_TABLES,ANSI_QUOTES", "read"],
  ["SELECT 'C:\\' FROM t", "NO_BACKSLASH_ESCAPES", "read"],
  ["SELECT 'C:\\', f(1), ' FROM t", "NO_BACKSLASH_ESCAPES", "write"],
  ['SELECT "a\\" FROM t', "ANSI_QUOTES", "read"],
  ['SELECT "a\\"" FROM t', "", "read"],
  ['SELECT * FROM "migrations"', "ANSI_QUOTES", "write"],
  ['SELECT * FROM t WHERE a = "migrations"', "", "read"],
  ['SELECT * FROM t WHERE a = "migrations"', "ANSI", "write"],
  ["SELECT count (*) FROM t", "IGNORE_SPACE", "read"],
  ["SELECT count (*) FROM t", "", "write"],
  ["SET sql_mode = 'ANSI'; SELECT 'it\\'s'", "", "write"],
])("%s in the mode %j", (sql, sqlMode, intent) => {
  expect(inspect(sql, "mysql", { sqlMode }).intent).toBe(intent);
});

test("the command never holds what the user wrote", () => {
  for (const sql of ["secret", "CREATE secret x", "ALTER secret", "DROP TABLE secret", "SET secret = 1", "`secret"]) {
    expect(inspect(sql, "mysql").command).not.toMatch(/secret/i);
  }
});
