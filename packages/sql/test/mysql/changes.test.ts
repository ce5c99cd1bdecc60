import { expect, test } from "vitest";
import { type SessionChange, sessionChanges } from "../../src/index.ts";

const quote = (value: string): string => `'${value.replaceAll("'", "''")}'`;
const set = (text: string, ...names: string[]): SessionChange => ({ type: "set", names, text });
const CHARACTERS = [
  "character_set_client",
  "character_set_results",
  "character_set_connection",
  "collation_connection",
];

type Row = readonly [sql: string, changes: readonly SessionChange[] | undefined, values?: readonly unknown[]];

const table: readonly Row[] = [
  ["SELECT 1", []],
  ["(SELECT 1)", []],
  ["SET Time_Zone = '+00:00' -- why", [set("SET Time_Zone = '+00:00'", "time_zone")]],
  ["SET SESSION a = 1, b = DEFAULT", [set("SET SESSION a = 1, b = DEFAULT", "a", "b")]],
  ["SET @@session.`a` := 1", [set("SET @@session.`a` := 1", "a")]],
  ["SET NAMES utf8mb4", [set("SET NAMES utf8mb4", ...CHARACTERS)]],
  ["SET CHARSET DEFAULT", [set("SET CHARSET DEFAULT", ...CHARACTERS)]],
  ["SET ROLE a, b", [set("SET ROLE a, b", "role")]],
  ["SET @A = 1, @`b` = 'x'", [set("SET @A = 1, @`b` = 'x'", "@a", "@`b`")]],
  ["SET @a = ?, b = ?", [set("SET @a = 'it''s', b = 5", "@a", "b")], ["it's", 5]],
  ["SET @a = ?", [set("SET @a = NULL", "@a")], [null]],
  ["SET @a = ?", undefined, [new Date(0)]],
  ["SELECT ?; SET @a = ?", [set("SET @a = 2", "@a")], [1, 2]],
  ["SET @a = @b", undefined],
  ["SET GLOBAL a = 1", []],
  ["SET GLOBAL a = 1, SESSION b = 1", undefined],
  [
    "SET sql_mode = CONCAT(@@sql_mode, ',ANSI')",
    [{ type: "set", names: ["sql_mode"], text: "SET sql_mode = CONCAT(@@sql_mode, ',ANSI')", isRelative: true }],
  ],
  [
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY",
    [
      {
        type: "set",
        names: ["transaction_isolation", "transaction_read_only"],
        text: "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY",
        isForNext: true,
      },
    ],
  ],
  ["SET tx_isolation = 'SERIALIZABLE'", [set("SET tx_isolation = 'SERIALIZABLE'", "transaction_isolation")]],
  ["SET autocommit = on", [set("SET autocommit = on", "autocommit")]],
  ["SET autocommit = 0", undefined],
  ["SET PASSWORD = 'x'", []],
  ["USE `d`", [set("USE `d`", "database")]],
  ["PREPARE S FROM 'SELECT 1';", [{ type: "prepare", name: "s", text: "PREPARE S FROM 'SELECT 1'" }]],
  ["PREPARE s FROM @a", undefined],
  ["DEALLOCATE PREPARE S", [{ type: "deallocate", name: "s" }]],
  ["DROP PREPARE s", [{ type: "deallocate", name: "s" }]],
  ["SELECT GET_LOCK('a', 1)", undefined],
  ["SELECT @a := 1", undefined],
  ["CREATE TEMPORARY TABLE t (a int)", undefined],
  ["SET a = 'it\\'s'", undefined],
  ["/*!80000 SET a = 1 */", undefined],
  ["SET a = 'unterminated", undefined],
];

test.each(table.map(([sql, changes, values = []]) => ({ sql, changes, values })))(
  "$sql",
  ({ sql, changes, values }) => {
    expect(sessionChanges(sql, "mysql", values, quote)).toEqual(changes);
  },
);

test("a string with escapes is carried where the mode is known", () => {
  const text = "SET a = 'it\\'s'";
  expect(sessionChanges(text, "mysql", [], quote, { sqlMode: "" })).toEqual([set(text, "a")]);
});
