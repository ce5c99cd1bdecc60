import { expect, test } from "vitest";
import { splitText } from "../src/index.ts";

test.each([
  ["", []],
  [" ;; ", []],
  ["SELECT 1", ["SELECT 1"]],
  ["-- one\nSELECT ';' ; /* ; */ SELECT $x$ ; $x$;\n", ["SELECT ';'", "SELECT $x$ ; $x$"]],
  ["SELECT 'C:\\'; SELECT 2", ["SELECT 'C:\\'", "SELECT 2"]],
  ['SELECT ";""" ; SELECT 1', ['SELECT ";"""', "SELECT 1"]],
  [
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3",
    ["CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END", "SELECT 3"],
  ],
  [
    "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SELECT 3",
    ["CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2)", "SELECT 3"],
  ],
] as const)("%j is cut into its statements as they stand", (sql, expected) => {
  expect(splitText(sql)).toEqual(expected);
});

test("what does not end is not cut", () => {
  expect(splitText("SELECT 'x")).toBeUndefined();
});
