import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inspect, sessionChanges } from "../../src/index.ts";

const MEGABYTE = 2 ** 20;
/** Far above what any of these takes, far below what quadratic time would (hours). */
const DEADLINE_MS = 20_000;

const fill = (piece: string, before = "", after = ""): string => before + piece.repeat(MEGABYTE / piece.length) + after;
const quote = (value: string): string => `'${value}'`;

describe("a megabyte takes linear time and no stack, whatever it holds", () => {
  test.each([
    ["quotes", fill("'")],
    ["escaped quotes", fill("\\'", "'")],
    ["backslashes", fill("\\", "'")],
    ["strings with backslashes", fill("'\\' ")],
    ["double quotes", fill('"')],
    ["double quotes and backslashes", fill('"\\" ')],
    ["backticks", fill("`")],
    ["names", fill("`a`.")],
    ["comments opened", fill("/*")],
    ["comments", fill("/**/")],
    ["executed comments opened", fill("/*!")],
    ["executed comments", fill("/*! a */")],
    ["conditional comments opened", fill("/*!99999 ")],
    ["conditional comments nested", fill("/*!99999 /*a*/ ", "", fill("*/"))],
    ["conditional comments", fill("/*M! a */")],
    ["a conditional comment with comments", fill("/**/", "/*!99999 ", "*/")],
    ["hints", fill("/*+ `a` */")],
    ["line comments", fill("-- \n")],
    ["number signs", fill("#\n")],
    ["variables", fill("@a")],
    ["at signs", fill("@")],
    ["assignments", fill("@a:=", "SELECT ")],
    ["settings", fill("a := 1, ", "SET ", "b = 1")],
    ["user variables that are set", fill("@a = 1, ", "SET ", "@b = 1")],
    ["settings in parentheses", fill("(", "SET a = ")],
    ["numbers", fill("1e")],
    ["one number", fill("1")],
    ["one word", fill("x")],
    ["dots", fill("a.", "SELECT ", "(")],
    ["parentheses opened", fill("(")],
    ["parentheses closed", fill(")")],
    ["subqueries", fill("(SELECT ")],
    ["calls", fill("lower(", "SELECT ")],
    ["WITH lists", fill("WITH a AS (")],
    ["INTO lists", fill("INTO a, ", "SELECT ")],
    ["semicolons", fill(";")],
    ["statements", fill("SELECT 1;")],
    ["labels", fill("a: ")],
    ["routines", fill("CREATE FUNCTION f() BEGIN ; ")],
    ["EXPLAINs", fill("EXPLAIN ")],
    ["rows", fill("('a', 1, ?), ", "INSERT INTO t VALUES ")],
  ])("%s", (_, sql) => {
    const start = performance.now();
    inspect(sql, "mysql");
    sessionChanges(sql, "mysql", [], quote);
    expect(performance.now() - start).toBeLessThan(DEADLINE_MS);
  });
});

describe("it never throws", () => {
  test("on any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (sql) => {
        expect(Object.isFrozen(inspect(sql, "mysql"))).toBe(true);
        sessionChanges(sql, "mysql", [], quote);
      }),
      { numRuns: 2_000 },
    );
  });

  const words =
    "set select @a @@b session = := , ( ) transaction read names 'x' ? 1 role use prepare from ; begin /*! */ /*M!";
  test("on any sequence of words of a statement", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...words.split(" ")), { maxLength: 12 }), (pieces) => {
        const sql = pieces.join(" ");
        const { session } = inspect(sql, "mysql");
        const changes = sessionChanges(sql, "mysql", [], quote);
        if (session === "pinned") expect(changes ?? [], sql).toEqual([]);
        for (const change of changes ?? []) {
          if (change.type === "set") expect(inspect(change.text, "mysql").session, sql).toBe("setting");
        }
      }),
      { numRuns: 20_000 },
    );
  });

  test.each(["__proto__", "constructor", "toString x", "SELECT __proto__(1)", "SELECT constructor(1)"])(
    "on %s",
    (sql) => {
      expect(inspect(sql, "mysql").intent).toBe("write");
    },
  );
});
