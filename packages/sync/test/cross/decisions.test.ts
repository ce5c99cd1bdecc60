import { describe, expect, test } from "vitest";
import { CopyFrames } from "../../../pg/src/copy/copy-frames.ts";
import type { Column, Table } from "../../src/model.ts";
import { splitLines, valuesOf } from "../../src/mysql/copy-lines.ts";
import { LoadText } from "../../src/mysql/load-text.ts";
import { longLine } from "../../src/mysql/long-line.ts";
import { type MysqlType, neutralType as ofMysql } from "../../src/mysql/neutral-type.ts";
import { neutralType as ofPostgres } from "../../src/postgres/neutral-type.ts";
import { createTable } from "../../src/types/create-table.ts";
import { fit, type LossyRule, type Typed } from "../../src/types/fit.ts";
import type { NeutralType } from "../../src/types/neutral.ts";

const NOTHING: Omit<MysqlType, "column" | "data"> = {
  characters: null,
  bytes: null,
  charset: null,
  precision: null,
  scale: null,
  digits: null,
};
const mysqlType = (column: string, rest: Partial<MysqlType> = {}): NeutralType =>
  ofMysql({ ...NOTHING, column, data: column.replace(/[( ].*/s, ""), ...rest });
const postgresType = (oid: number, modifier = -1): NeutralType =>
  ofPostgres({ kind: "b", oid, modifier, base: "x", labels: null });

describe("types of a system in no system's words", () => {
  test.each<[string, NeutralType]>([
    ["tinyint(1)", { kind: "boolean" }],
    ["tinyint(4)", { kind: "integer", bits: 8, isUnsigned: false }],
    ["tinyint(1) unsigned", { kind: "integer", bits: 8, isUnsigned: true }],
    ["bigint(20) unsigned zerofill", { kind: "integer", bits: 64, isUnsigned: true }],
    [
      "enum('a','it''s','b,c','(x)','back\\\\slash','new\\nline')",
      { kind: "enum", labels: ["a", "it's", "b,c", "(x)", "back\\slash", "new\nline"] },
    ],
    ["set('x','y z')", { kind: "set", labels: ["x", "y z"] }],
    ["year(4)", { kind: "year" }],
    ["json", { kind: "json", isNormalized: true }],
    ["inet6", { kind: "own", name: "inet6" }],
  ])("%s of MariaDB and MySQL", (column, expected) => {
    expect(mysqlType(column)).toEqual(expected);
  });

  test.each<[number, number, NeutralType]>([
    [1700, -1, { kind: "decimal", precision: undefined, scale: undefined }],
    [1700, ((20 << 16) | 4) + 4, { kind: "decimal", precision: 20, scale: 4 }],
    // numeric(3,-2) and numeric(2,5)
    [1700, ((3 << 16) | (-2 & 0x7ff)) + 4, { kind: "decimal", precision: 5, scale: 0 }],
    [1700, ((2 << 16) | 5) + 4, { kind: "decimal", precision: 5, scale: 5 }],
    [1043, 24, { kind: "text", length: 20, bytes: undefined, isFixed: false, isUnicode: true }],
    [1184, 3, { kind: "instant", digits: 3 }],
    [1114, -1, { kind: "timestamp", digits: 6 }],
    [1560, 7, { kind: "bits", length: 7 }],
  ])("%i with the modifier %i of PostgreSQL", (oid, modifier, expected) => {
    expect(postgresType(oid, modifier)).toEqual(expected);
  });
});

const pg = (type: NeutralType): Typed => ({ system: "postgres", type });
const my = (type: NeutralType): Typed => ({ system: "mysql", type });
const decimal = (precision: number, scale: number): NeutralType => ({ kind: "decimal", precision, scale });
const integer = (bits: 16 | 32 | 64, isUnsigned = false): NeutralType => ({ kind: "integer", bits, isUnsigned });
const text = (length?: number, rest: object = {}): NeutralType => ({
  kind: "text",
  length,
  bytes: undefined,
  isFixed: false,
  isUnicode: true,
  ...rest,
});
const own = (name: string): NeutralType => ({ kind: "own", name });

describe("what fits into what", () => {
  test.each<[string, Typed, Typed, string, readonly string[]]>([
    ["whole numbers into wider ones", pg(integer(32)), my(integer(64)), "number", []],
    ["whole numbers into narrower ones, by value", pg(integer(64)), my(integer(32)), "number", ["whole-number"]],
    ["unsigned ones into numeric(20,0)", my(integer(64, true)), pg(decimal(20, 0)), "number", []],
    ["and back", pg(decimal(20, 0)), my(integer(64, true)), "decimal", ["whole-number"]],
    ["unsigned ones into bigint, by value", my(integer(64, true)), pg(integer(64)), "number", ["whole-number"]],
    ["the same decimals", pg(decimal(20, 4)), my(decimal(20, 4)), "number", ["not-finite"]],
    ["decimals with fewer digits, by value", my(decimal(20, 4)), pg(decimal(20, 2)), "decimal", ["digits"]],
    ["decimals with fewer whole digits, by value", my(decimal(20, 4)), pg(decimal(20, 5)), "decimal", ["digits"]],
    [
      "floats",
      pg({ kind: "float", bits: 64 }),
      my({ kind: "float", bits: 64 }),
      "float",
      ["not-finite", "negative-zero"],
    ],
    ["floats back", my({ kind: "float", bits: 32 }), pg({ kind: "float", bits: 64 }), "float", []],
    [
      "doubles into floats, by value",
      my({ kind: "float", bits: 64 }),
      pg({ kind: "float", bits: 32 }),
      "float",
      ["single-precision"],
    ],
    ["texts into shorter ones, by value", pg(text()), my(text(10)), "text", ["length"]],
    ["texts into as long ones", pg(text(10)), my(text(10)), "text", []],
    [
      "texts into bounded bytes, by value",
      pg(text(20_000)),
      my(text(undefined, { bytes: 65_535 })),
      "text",
      ["length"],
    ],
    ["texts to PostgreSQL, unless they have a NUL", my(text(10)), pg(text(10)), "text", ["nul"]],
    ["dates", pg({ kind: "date" }), my({ kind: "date" }), "date", ["years"]],
    ["dates back", my({ kind: "date" }), pg({ kind: "date" }), "date", ["zero-dates"]],
    [
      "times with fewer digits, by value",
      pg({ kind: "time", digits: 6 }),
      my({ kind: "time", digits: 0 }),
      "time",
      ["fraction"],
    ],
    [
      "points in time",
      pg({ kind: "instant", digits: 6 }),
      my({ kind: "timestamp", digits: 6 }),
      "timestamp",
      ["years"],
    ],
    [
      "into `timestamp`, by value",
      pg({ kind: "instant", digits: 6 }),
      my({ kind: "instant", digits: 6 }),
      "timestamp",
      ["years", "years"],
    ],
    [
      "labels that are there",
      pg({ kind: "enum", labels: ["a"] }),
      my({ kind: "enum", labels: ["b", "a"] }),
      "text",
      [],
    ],
    [
      "labels that are not, by value",
      pg({ kind: "enum", labels: ["a", "c"] }),
      my({ kind: "enum", labels: ["a"] }),
      "text",
      ["label"],
    ],
    ["intervals as texts", pg(own("interval")), my(text()), "text", []],
    ["uuids", pg({ kind: "uuid" }), my({ kind: "bytes", length: 16 }), "uuid", []],
    ["geometry between MariaDB and MySQL", my({ kind: "geometry" }), my({ kind: "geometry" }), "bytes", []],
  ])("%s", (_, from, to, form, rules) => {
    const found = fit(from, to, new Set());
    expect(found).toMatchObject({ fits: true, form });
    if (found.fits) expect(found.risks.map(({ rule }) => rule)).toEqual(rules);
  });

  test.each<[string, Typed, Typed, LossyRule | undefined]>([
    ["arrays as texts", pg(own("integer[]")), my(text()), "as-text"],
    ["texts as arrays", my(text()), pg(own("integer[]")), "as-text"],
    ["JSON into what keeps the meaning alone", my(text()), pg({ kind: "json", isNormalized: true }), "json-normalized"],
    ["texts into another character set", pg(text(10)), my(text(10, { isUnicode: false })), undefined],
    ["texts into a fixed length", pg(text(10)), my(text(10, { isFixed: true })), undefined],
    ["geometry to PostgreSQL", my({ kind: "geometry" }), pg(own("geometry")), undefined],
    ["bits of another length", pg({ kind: "bits", length: 7 }), my({ kind: "bits", length: 8 }), undefined],
    ["dates into times", pg({ kind: "date" }), my({ kind: "time", digits: 6 }), undefined],
    ["texts into numbers", pg(text()), my(integer(32)), undefined],
  ])("%s do not, unless that is accepted", (_, from, to, rule) => {
    expect(fit(from, to, new Set())).toMatchObject({ fits: false, reason: expect.any(String) });
    if (rule !== undefined) expect(fit(from, to, new Set([rule]))).toMatchObject({ fits: true });
  });
});

const column = (name: string, neutral: NeutralType, rest: Partial<Column> = {}): Column => ({
  name,
  type: "",
  neutral,
  isNullable: true,
  hasDefault: false,
  isAlways: false,
  isCounted: false,
  isGenerated: false,
  isPlain: false,
  isPortable: false,
  order: "own",
  ...rest,
});

const table = (...columns: readonly Column[]): Table => ({
  schema: "public",
  name: 'we"ird`',
  columns,
  generated: [],
  key: columns.slice(0, 1),
  isPartitioned: false,
  rows: 0,
  bytes: 0,
  isUnlogged: false,
  isOwned: true,
  identity: "key",
});

test("a table is made in the other system's words, or every column that has none is named", () => {
  const id = column("id", integer(64), { isNullable: false, isCounted: true });
  const kind = column("kind", { kind: "enum", labels: ["it's", "b\\"] });
  expect(createTable(table(id, kind, column("a", own("inet"))), "mysql", new Set()).text).toBe(
    'CREATE TABLE `we"ird```' +
      " (\n  `id` bigint NOT NULL AUTO_INCREMENT,\n  `kind` enum('it''s', 'b\\\\') NULL,\n  `a` longtext NULL,\n  PRIMARY KEY (`id`)\n)" +
      " ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin",
  );
  expect(createTable(table(id, column("u", integer(64, true))), "postgres", new Set()).text).toBe(
    'CREATE TABLE "public"."we""ird`" (\n  "id" bigint NOT NULL GENERATED BY DEFAULT AS IDENTITY,\n  "u" numeric(20,0),\n  PRIMARY KEY ("id")\n)',
  );
  const refused = createTable(table(id, column("a", own("integer[]")), column("b", own("xml"))), "mysql", new Set());
  expect(refused.refusals?.map(({ column: name }) => name)).toEqual(["a", "b"]);
});

/** A text in pieces of every length. */
const inPieces = (bytes: Buffer): readonly (readonly Buffer[])[] =>
  Array.from({ length: bytes.length }, (_, size) =>
    Array.from({ length: Math.ceil(bytes.length / (size + 1)) }, (__, index) =>
      Buffer.from(bytes.subarray(index * (size + 1), (index + 1) * (size + 1))),
    ),
  );

test("escapes that LOAD DATA does not know become what they mean, wherever a piece ends", () => {
  const given = Buffer.from("a\\\\f\\f\\v\\\\\\v\t\\N\tä\\n\\\\N\nplain\n\\\\\\\\f\n");
  const expected = "a\\\\f\f\v\\\\\v\t\\N\tä\\n\\\\N\nplain\n\\\\\\\\f\n";
  for (const pieces of inPieces(given)) {
    const loading = new LoadText();
    expect(Buffer.concat(pieces.map((piece) => Buffer.from(loading.take(piece)))).toString()).toBe(expected);
  }
});

test("lines of COPY's text become values, wherever a piece ends", () => {
  const given = Buffer.from("a\t\\N\t\n\\\\N\t\\t\\n\\f\\v\\b\\r\\\\\t🐘ä\n");
  for (const pieces of inPieces(given)) {
    const lines: string[] = [];
    let rest: Uint8Array = new Uint8Array();
    for (const piece of pieces) {
      const found = splitLines(rest, piece);
      lines.push(...found.lines);
      ({ rest } = found);
    }
    expect(lines.map(valuesOf)).toEqual([
      ["a", null, ""],
      ["\\N", "\t\n\f\v\b\r\\", "🐘ä"],
    ]);
    expect(rest).toHaveLength(0);
  }
});

test("a long row is the line that the server would have made, whatever is in its values", () => {
  const text = `${"x".repeat(65_530)}ä🐘\\\t\n\r${"\n".repeat(70_000)}end`;
  const bytes = Buffer.from([0, 0x5c, 0x0a, 255]);
  const fields = [Buffer.from("7"), null, Buffer.from(text), bytes, Buffer.from("")];
  const pieces = [...longLine(fields, ["as-it-is", "any-text", "any-text", "bytes", "any-text"])];
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(131_072);
  const line = Buffer.concat(pieces).toString();
  expect(line).not.toContain("\n");
  expect(valuesOf(line)).toEqual(["7", null, text, "\\x005c0aff", ""]);
});

test("messages of COPY give what they hold, wherever a piece ends", () => {
  const message = (code: string, body: string): Buffer => {
    const bytes = Buffer.from(`${code}0000${body}`);
    bytes.writeUInt32BE(body.length + 4, 1);
    return bytes;
  };
  const given = Buffer.concat([
    ...[message("H", "xxx"), message("d", "one\n"), message("N", "notice"), message("d", ""), message("d", "two\n")],
    ...[message("c", ""), Buffer.from("rest")],
  ]);
  for (const pieces of inPieces(given)) {
    const frames = new CopyFrames(true);
    let held = "";
    let after = "";
    let isOver = false;
    for (const piece of pieces) {
      if (isOver) {
        after += piece.toString();
        continue;
      }
      const { data, rest, isComplete } = frames.walk(piece);
      held += Buffer.concat(data).toString();
      if (rest === undefined) continue;
      isOver = isComplete;
      after += Buffer.from(rest).toString();
    }
    expect([held, after, isOver]).toEqual(["one\ntwo\n", "rest", true]);
  }
});
