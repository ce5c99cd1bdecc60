import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { inspect } from "../src/index.ts";
import { search } from "./search.ts";

const MEGABYTE = 2 ** 20;
/** Far above what any of these takes (0.3 s on an idle machine), far below what quadratic time would (hours). */
const DEADLINE_MS = 20_000;

const fill = (piece: string, before = "", after = ""): string => before + piece.repeat(MEGABYTE / piece.length) + after;

describe("a megabyte takes linear time and no stack, whatever it holds", () => {
  test.each([
    ["quotes", fill("'")],
    ["empty strings", fill("'' ", "SELECT ")],
    ["escaped quotes", fill("\\'", "E'")],
    ["backslashes", fill("\\", "'")],
    ["strings with backslashes", fill("'\\' ")],
    ["strings that go on", fill("'a' -- b\n")],
    ["a string that could go on", fill(" -- b\n", "'a'")],
    ["double quotes", fill('"')],
    ["quoted names", fill('"a" ')],
    ["dollars", fill("$")],
    ["dollar quotes", fill("$a$ $b ")],
    ["comments opened", fill("/*")],
    ["comments nested", fill("/*", "", fill("*/"))],
    ["line comments", fill("--\n")],
    ["operators", fill("+-*")],
    ["half-opened comments", fill("-/ ")],
    ["numbers", fill("1e")],
    ["one number", fill("_1", "1")],
    ["one word", fill("x")],
    ["dots", fill("a.", "SELECT ")],
    ["parentheses opened", fill("(")],
    ["parentheses closed", fill(")")],
    ["parentheses nested", fill("(", "SELECT ", `1${fill(")")}`)],
    ["subqueries", fill("(SELECT ")],
    ["WITH lists", fill("WITH a AS (")],
    ["aliases", fill("1 AS f(", "SELECT ")],
    ["semicolons", fill(";")],
    ["statements", fill("SELECT 1;")],
    ["transactions", fill("BEGIN;")],
    ["EXPLAINs", fill("EXPLAIN (")],
    ["routine bodies", fill("CREATE FUNCTION f() BEGIN ATOMIC CASE ")],
    ["cursor options", fill("NO SCROLL ", "DECLARE c ")],
    ["settings", fill("set_config('a', 'b', true), ", "SELECT ")],
    ["rows", fill("('a', 1, $1), ", "INSERT INTO t VALUES ")],
  ])("%s", (_, sql) => {
    const start = performance.now();
    inspect(sql, "postgres");
    expect(performance.now() - start).toBeLessThan(DEADLINE_MS);
  });
});

describe("it never throws", () => {
  test("on any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (sql) => {
        expect(Object.isFrozen(inspect(sql, "postgres"))).toBe(true);
      }),
      search(5_000),
    );
  });

  test("on any UTF-16 units, lone surrogates included", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(0xffff), { maxLength: 100 }), (units) => {
        inspect(`SELECT ${String.fromCharCode(...units)}`, "postgres");
      }),
      search(5_000),
    );
  });

  test.each(["__proto__", "constructor", "toString x", "SELECT __proto__(1)", "SELECT constructor(1)"])(
    "on %s",
    (sql) => {
      expect(inspect(sql, "postgres").intent).toBe("write");
    },
  );
});
