import { describe, expect, test } from "vitest";
import { lex } from "../../src/mysql/lex.ts";
import { parseSqlMode, UNKNOWN_MODES } from "../../src/mysql/sql-mode.ts";

function cut(sql: string, sqlMode?: string, isConditionMet: boolean = true): string | undefined {
  const modes = sqlMode === undefined ? UNKNOWN_MODES : parseSqlMode(sqlMode);
  return lex(sql, { modes, isConditionMet })
    ?.tokens.map((token) => ("text" in token ? `${token.kind}:${token.text}` : token.kind))
    .join(" ");
}

const tables: Readonly<Record<string, readonly [sql: string, expected: string | undefined][]>> = {
  comments: [
    ["a -- b\nc", "word:a word:c"],
    ["a --\tb", "word:a"],
    ["a --", "word:a"],
    ["a--b", "word:a operator operator word:b"],
    ["a -- b\rc", "word:a"],
    ["a # b\nc", "word:a word:c"],
    ["a#b", "word:a"],
    ["a /* b /* c */ d", "word:a word:d"],
    ["a /* b */ */ c", "word:a operator operator word:c"],
    ["a /*/ b */ c", "word:a word:c"],
    ["a /* b", undefined],
    ["/*+ b */ a", "word:a"],
    ["/*+ `b` */ a", "word:a"],
    ["/*+ ` */ a", undefined],
  ],
  "comments that are executed": [
    ["/*! a */ b", "word:a word:b"],
    ["/*!50001 a */ b", "word:a word:b"],
    ["/*!50001a*/b", "word:a word:b"],
    ["/*!5000 a */", "number word:a"],
    ["/*! '*/' */ b", "string word:b"],
    ["/*! a /* b */ c */ d", "word:a word:c word:d"],
    ["/*! a /*! b */ c", "word:a word:b word:c"],
    ["/*! a", undefined],
    ["/*M! a */ b", "word:a word:b"],
    ["/*!80000 a */ b", "word:a word:b"],
  ],
  strings: [
    ["'a''b'", "string"],
    ["'a\\'b'", "string"],
    ["'a\\\\'", "string"],
    ["'a\\'", undefined],
    ["'a' 'b'", "string string"],
    ["N'a' x'41' B'01'", "string string string"],
    ["x 'a'", "word:x string"],
    ["_utf8'a'", "word:_utf8 string"],
    ["'a", undefined],
    ["'a\nb'", "string"],
  ],
  "quoted names": [
    ["`a``b` ``", "name:a`b name:"],
    ["`a\\` b", "name:a\\ word:b"],
    ["`a", undefined],
    ["`a`.`b`", "name:a . name:b"],
  ],
  variables: [
    ["@a @a.b$c @'a b' @`a` @", "variable variable variable variable variable"],
    ["@@a.b", "@@ word:a . word:b"],
    ["@a:=1", "variable := number"],
    ["a@b", "word:a variable"],
    ["@`a", undefined],
  ],
  "words and numbers": [
    ["FooBar ÀB_1$", "word:foobar word:Àb_1$"],
    ["1 1.5 .5 1. 1e5 1.5E-3 0x1F 0b01", Array(8).fill("number").join(" ")],
    ["1a 1e 0xg 0b2 1ea", "word:1a word:1e word:0xg word:0b2 word:1ea"],
    ["1.5for 1e5for 1.for", "number word:for number word:for number word:for"],
    ["a.1b a.1e5 a.5for", "word:a . word:1b word:a . word:1e5 word:a . word:5for"],
    ["a .5for", "word:a number word:for"],
    ["`a`.5for", "name:a number word:for"],
    ["a.x'41'", "word:a . word:x string"],
  ],
  signs: [
    ["(,);?", "( , ) ; parameter"],
    ["a->>'$.b'", "word:a operator operator operator string"],
    ["a := b", "word:a := word:b"],
    [":a", "operator word:a"],
    ["a \\ b", undefined],
    ["a\0b", undefined],
    ["a\u0001", undefined],
    ["[1]", undefined],
  ],
};

describe.each(Object.entries(tables))("%s", (_, table) => {
  test.each(table)("%j", (sql, expected) => {
    expect(cut(sql)).toBe(expected);
  });
});

test.each<[sql: string, sqlMode: string | undefined, expected: string | undefined]>([
  ["\"a\" 'b'", undefined, "name:a string"],
  ["\"a\" 'b'", "", "string string"],
  ["\"a\" 'b'", "ANSI", "name:a string"],
  ['"a\\" b"', undefined, "string"],
  ['"a\\" b', "ANSI_QUOTES", "name:a\\ word:b"],
  ["'a\\' b", "NO_BACKSLASH_ESCAPES", "string word:b"],
  ['"a\\" b', "NO_BACKSLASH_ESCAPES", "string word:b"],
])("%s in the mode %s", (sql, sqlMode, expected) => {
  expect(cut(sql, sqlMode)).toBe(expected);
});

test.each<[sql: string, expected: string | undefined]>([
  ["/*!80000 a */ b", "word:b"],
  ["/*M! a */ b", "word:b"],
  ["/*!80000 a /* b */ c */ d", "word:d"],
  ["/*!80000 ' */ b", "word:b"],
  ["/*!50000 a */ b", "word:a word:b"],
  ["/*!80000 a /* b */", undefined],
])("%s, where its condition is not met", (sql, expected) => {
  expect(cut(sql, "", false)).toBe(expected);
});

test.each<[sql: string, certain: boolean]>([
  ["'a\\\\'", true],
  ["'a\\'b'", false],
  ["'\\n'", true],
  ['"\\" \'"', false],
  ["`\\`", true],
  ["/*!50699 a */", true],
  ["/*!50700 a */", false],
  ["/*!100000 a */", false],
  ["/*M! a */", false],
])("whether the server matters to %j", (sql, certain) => {
  expect(lex(sql, { modes: UNKNOWN_MODES, isConditionMet: true })?.certain).toBe(certain);
});
