import fc from "fast-check";
import { scanSync } from "libpg-query";
import { describe, expect, test } from "vitest";
import { lex } from "../src/postgres/lex.ts";
import type { Token } from "../src/token.ts";
import { corpus } from "./corpus.ts";
import { render, statement } from "./grammar.ts";
import "./oracle.ts";
import { search } from "./search.ts";

/** One line for a list of tokens, with operators that touch put together, as their exact cut does not matter here. */
function show(tokens: readonly Token[]): string {
  return tokens
    .map((token) => ("text" in token ? `${token.kind}:${token.text}` : token.kind))
    .join(" ")
    .replaceAll(/operator(?: operator)+/g, "operator");
}

function cut(sql: string): string | undefined {
  const lexed = lex(sql);
  return lexed && show(lexed.tokens);
}

const tables: Readonly<Record<string, readonly [sql: string, expected: string | undefined][]>> = {
  comments: [
    ["a -- b\nc", "word:a word:c"],
    ["a -- b\rc", "word:a word:c"],
    ["a /* b /* c */ ' */ d", "word:a word:d"],
    ["a /*/ */ b", "word:a word:b"],
    ["a /***/ b", "word:a word:b"],
    ["a /* b", undefined],
    ["a /* /* b */", undefined],
    ["--", ""],
  ],
  strings: [
    ["'a''b'", "string"],
    ["''", "string"],
    ["'a' 'b'", "string string"],
    ["'a'\n'b'", "string"],
    ["'a' -- c\n 'b' \n\n -- d\n 'e'", "string"],
    ["'a'--\n'b'", "string"],
    ["'a' -- c\n", "string"],
    ["'a' /* c */\n'b'", "string string"],
    ["E'a\\'b'", "string"],
    ["e'a\\\\'", "string"],
    ["E'a'\n'b\\'c'", "string"],
    ["E'a\\'", undefined],
    ["N'a' B'01' x'ff' u&'\\0041'", "string string string string"],
    ["re'a'", "word:re string"],
    ["1e'\\''", "number string"],
    ["'a", undefined],
    ["'a\nb'", "string"],
  ],
  "dollar quotes and parameters": [
    ["$$ ' $x$ -- $$", "string"],
    ["$a$ $$ $b$ $a$", "string"],
    ["$a$ $A$", undefined],
    ["$é1$x$é1$", "string"],
    ["$1 $23", "parameter parameter"],
    ["$1$$x$$", "parameter string"],
    ["a$b$c", "word:a$b$c"],
    ["$ a", undefined],
    ["$a", undefined],
    ["$1a$ x", "parameter word:a$ word:x"],
  ],
  identifiers: [
    ["FooBar", "word:foobar"],
    ["ÀB_1$", "word:Àb_1$"],
    ['"a""b" ""', 'name:a"b name:'],
    ['"a', undefined],
    ['U&"a"', undefined],
    ['au&"a"', "word:au operator name:a"],
    ["a.b . c", "word:a . word:b . word:c"],
    ["\ufeffa", "word:\ufeffa"],
  ],
  numbers: [
    ["1 1.5 .5 1. 1e5 1.5E-3 1_000", "number number number number number number number"],
    ["0xFF 0o17 0b1_0", "number number number"],
    ["1..2", "number operator number"],
    ["a.5", "word:a number"],
    ["1abc", "number word:abc"],
  ],
  operators: [
    ["a+-b", "word:a operator word:b"],
    ["a+--b", "word:a operator"],
    ["a*/* c */b", "word:a operator word:b"],
    ["a<-/**/>b", "word:a operator word:b"],
    ["a::b:c", "word:a :: word:b operator word:c"],
    ["a[1:2] := =>", "word:a operator number operator number operator"],
    ["(,);", "( , ) ;"],
    ["a \\ b", undefined],
    ["{", undefined],
    ["a\0b", undefined],
    ["a\u0001", undefined],
  ],
};

describe.each(Object.entries(tables))("%s", (_, table) => {
  test.each(table)("%j", (sql, expected) => {
    expect(cut(sql)).toBe(expected);
  });
});

test.each([
  ["'a\\'", false],
  ["'a\\\\'", true],
  ["'a\\\\\\'", false],
  ["'\\n'", true],
  ["E'\\''", true],
  ["E'a'\n'\\''", true],
  ["'a'\n'\\'", false],
  ["N'\\'", false],
  ["$$\\'$$", true],
  ['"\\" \'', undefined],
  ["-- '\\'\n1", true],
])("whether standard_conforming_strings matters to %j", (sql, certain) => {
  expect(lex(sql)?.certain).toBe(certain);
});

const KINDS: Readonly<Record<string, Token["kind"]>> = {
  SCONST: "string",
  ICONST: "number",
  FCONST: "number",
  PARAM: "parameter",
  TYPECAST: "::",
};
/** The ones that have no name in its answer: `B'…'`, `X'…'` and `U&'…'`. */
const OTHER_STRING = /^(?:[bx]|u&)'/i;
/** The scanner leaves these to the grammar, which knows no use for them. */
const REFUSED_BY_GRAMMAR: readonly string[] = ["$", "\\"];
const PUNCTUATION: readonly string[] = ["(", ")", ",", ";", "."] satisfies Token["kind"][];

/** What PostgreSQL's own scanner makes of a text, in our words; `undefined` if it refuses the text. */
function scanned(sql: string): string | undefined {
  let tokens: ReturnType<typeof scanSync>["tokens"];
  try {
    ({ tokens } = scanSync(sql));
  } catch {
    return undefined;
  }
  if (tokens.some(({ text }) => REFUSED_BY_GRAMMAR.includes(text))) return undefined;
  return show(
    tokens.flatMap(({ text, tokenName, keywordName }): Token[] => {
      const kind = OTHER_STRING.test(text) ? "string" : KINDS[tokenName];
      if (tokenName.endsWith("COMMENT")) return [];
      if (kind !== undefined) return [{ kind } as Token];
      if (text.startsWith('"')) return [{ kind: "name", text: text.slice(1, -1).replaceAll('""', '"') }];
      if (tokenName === "IDENT" || keywordName !== "NO_KEYWORD") return [{ kind: "word", text: text.toLowerCase() }];
      return [{ kind: PUNCTUATION.includes(text) ? text : "operator" } as Token];
    }),
  );
}

describe("agrees with PostgreSQL's own scanner", () => {
  // N'…' is two tokens there, so is B'…''…', and U&"…" we decline. This scanner gives comments as tokens, so a comment
  // ends a string there that goes on in the next line; on the server it goes on
  const comparable = (sql: string): boolean => !/\bn'|[bx]'[^']*''|u&"|'\s*--/i.test(sql);

  test.each(["orm-reads", "queries", "commands"] as const)("on the corpus %s", (name) => {
    for (const sql of corpus(name).filter(comparable)) expect(cut(sql), sql).toBe(scanned(sql));
  });

  test("on generated statements", () => {
    fc.assert(
      fc.property(render(statement), (sql) => {
        expect(cut(sql)).toBe(scanned(sql));
      }),
      search(500),
    );
  });

  test("on any sequence of pieces that it takes", () => {
    const piece = fc.constantFrom(
      ..."' '' \\' \\ \" \"\" $ $$ $a$ $1 -- /* */ / * - + = < @ E' e B' x' U&' a E e b1 _ é 1 1.5 . , ; ( ) [ ] : :: 0x1 1_0".split(
        " ",
      ),
      " ",
      "\n",
      "\r",
      "\t",
    );
    let taken = 0;
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const sql = pieces.join("");
        const expected = comparable(sql) && sql !== "" ? scanned(sql) : undefined;
        if (expected === undefined) return;
        taken += 1;
        expect(cut(sql)).toBe(expected);
      }),
      search(10_000),
    );
    expect(taken).toBeGreaterThan(2_000);
  });
});
