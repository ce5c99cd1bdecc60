import { describe, expect, test } from "vitest";
import { isLost } from "../../src/follow/losses.ts";
import { decideStart, formatPosition, parsePosition } from "../../src/follow/mysql/position.ts";
import { positionOf } from "../../src/follow/mysql/replica-position.ts";
import { readAddress } from "../../src/follow/mysql/server-address.ts";
import { readStatement } from "../../src/follow/mysql/statement.ts";
import { Reach } from "../../src/follow/reach.ts";
import { decimalText } from "../../src/mysql/binlog/decimal.ts";
import { jsonDouble } from "../../src/mysql/binlog/float-text.ts";
import { MariadbGtids, MysqlGtids } from "../../src/mysql/binlog/gtids.ts";
import { readTaggedGtid } from "../../src/mysql/binlog/tagged-gtid.ts";

const A = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B = "3e11fa47-71ca-11e1-9e33-c80aa9429563";

describe("all transactions up to a place", () => {
  test("of MariaDB: the last of each server counts, and the last of all is where to go on", () => {
    const gtids = new MariadbGtids("0-1-100,1-7-3");
    gtids.add("0-2-101");
    gtids.add("0-1-102");
    expect(String(gtids)).toBe("0-2-101,0-1-102,1-7-3");
    expect(gtids.last).toBe("0-1-102,1-7-3");
    expect(gtids.covers("0-1-102")).toBe(true);
    expect(gtids.covers("0-2-101,1-7-2")).toBe(true);
    expect(gtids.covers("0-3-50")).toBe(false);
    expect(gtids.covers("")).toBe(true);
  });

  test.each<[string, readonly string[], string]>([
    ["", [`${A}:1`], `${A}:1`],
    [`${A}:1-5`, [`${A}:6`], `${A}:1-6`],
    [`${A}:1-5`, [`${A}:7`, `${A}:6`], `${A}:1-7`],
    [`${A}:1-5:9`, [`${A}:7`], `${A}:1-5:7:9`],
    [`${A}:1-5`, [`${B}:1`, `${A}:tag:1`], `${A}:1-5,${B}:1,${A}:tag:1`],
    [`${A}:1-5:tag:1-2`, [`${A}:tag:3`], `${A}:1-5,${A}:tag:1-3`],
  ])("of MySQL: %s and %s are %s", (before, added, expected) => {
    const gtids = new MysqlGtids(before);
    for (const each of added) gtids.add(each);
    expect(String(gtids)).toBe(expected);
    for (const each of added) expect(gtids.covers(each)).toBe(true);
    expect(String(new MysqlGtids(String(gtids)))).toBe(expected);
  });

  test("of MySQL: are told to the server in its own form", () => {
    const bytes = new MysqlGtids(`${A}:1-5`).encode().toString("hex");
    expect(bytes).toBe(`0100000000000000${A.replaceAll("-", "")}010000000000000001000000000000000600000000000000`);
  });

  test("a GTID with a tag is read", () => {
    // version 1, size, last field; flags 0; uuid; number 5; tag "ab"; more
    const uuid = [...Buffer.from(A.replaceAll("-", ""), "hex")].flatMap((byte) =>
      byte < 0x80 ? [byte << 1] : [((byte << 2) & 0xff) | 1, byte >> 6],
    );
    const bytes = Buffer.from([2, 60 << 1, 0, 0, 0, 2, ...uuid, 4, 10 << 1, 6, 2 << 1, 0x61, 0x62, 8, 0]);
    expect(readTaggedGtid(bytes)).toBe(`${A}:ab:5`);
  });
});

describe("from where a binary log goes on", () => {
  const shape = "s";
  const maria = { isMariadb: true, has: "0-1-100,0-2-105", purged: "", shape };
  const mysql = { isMariadb: false, has: `${A}:1-100`, purged: `${A}:1-50`, shape };
  test.each([
    ["the same server", "0-1-90", maria, undefined, "continue"],
    ["a position on a former primary that the new one has", "0-1-100", maria, undefined, "continue"],
    ["what went with the former primary", "0-1-101", maria, undefined, "reseed"],
    ["the new primary's own", "0-1-100,0-2-105", maria, undefined, "continue"],
    ["a server that is not known", "0-9-1", maria, undefined, "reseed"],
    ["what the log has refused", "0-1-90", maria, "purged", "reseed"],
    ["a set that is there", `${A}:1-60`, mysql, undefined, "continue"],
    ["a set that was thrown away", `${A}:1-40`, mysql, undefined, "reseed"],
    ["a set that the source has lost", `${A}:1-101`, mysql, undefined, "reseed"],
    ["tables of another shape", "0-1-90", { ...maria, shape: "t" }, undefined, "reseed"],
    ["a position of another system", "7/3 0/64", maria, undefined, "foreign"],
  ])("%s: %#", (_, gtids, log, failure, expected) => {
    const position = { gtids, shape, place: undefined };
    expect(decideStart(position, log, failure).type).toBe(expected);
  });

  test("positions are written as they are read", () => {
    const position = { gtids: `${A}:1-5`, shape, place: { file: "binlog:x.000001", offset: 1234 } };
    expect(parsePosition(formatPosition(position))).toEqual(position);
    const nothing = { gtids: "", shape, place: undefined };
    expect(parsePosition(formatPosition(nothing))).toEqual(nothing);
  });
});

test.each([
  ["BEGIN", { type: "begin" }],
  ["/* x */ COMMIT", { type: "commit" }],
  ["ROLLBACK", { type: "rollback" }],
  ["ROLLBACK TO `s`", { type: "partial-rollback" }],
  ["XA START X'61',X'',1", { type: "xa" }],
  ["XA COMMIT X'61',X'',1", { type: "xa-end" }],
  ["alter table t add c int", { type: "definition" }],
  ["-- a\nCREATE TABLE t (n int)", { type: "definition" }],
  ["TRUNCATE t", { type: "truncate", database: undefined, table: "t" }],
  ["truncate table `d`.`a``b`", { type: "truncate", database: "d", table: "a`b" }],
  ["INSERT INTO t VALUES (1)", { type: "change" }],
  ["SAVEPOINT `s`", { type: "other" }],
  ["GRANT ALL ON *.* TO x", { type: "other" }],
])("the statement %s in the log", (text, expected) => {
  expect(readStatement(text)).toEqual(expected);
});

test("what is not for the target is passed once everything before it is written", () => {
  const reach = new Reach("0");
  reach.notePassed("1");
  expect(reach.through).toBe("1");
  reach.noteReceived();
  reach.noteReceived();
  reach.notePassed("3");
  expect(reach.through).toBe("1");
  reach.noteTaken();
  reach.noteTaken();
  reach.noteWritten("2");
  expect(reach.through).toBe("3");
  reach.noteReceived();
  reach.notePassed("5");
  reach.noteReceived();
  reach.noteTaken();
  reach.noteTaken();
  reach.noteWritten("6");
  expect(reach.through).toBe("6");
  reach.noteReceived();
  reach.notePassed("7");
  reach.noteTaken();
  reach.noteNothing();
  expect(reach.through).toBe("7");
});

const loss = { column: "c", reason: "" };
test.each([
  [{ rule: "whole-number", min: "0", max: "1" }, ["2", "-1", "1.5"], ["0", "1"]],
  [{ rule: "digits", precision: 5, scale: 2 }, ["1234", "1.234", "-1000.1"], ["123.45", "-0.1", "1.2000", "000999"]],
  [{ rule: "not-finite" }, ["NaN", "Infinity", "-Infinity"], ["1", "nan day"]],
  [{ rule: "negative-zero" }, ["-0", "-0.0"], ["0", "-1"]],
  [{ rule: "single-precision" }, ["0.1", "16777217"], ["0.5", "16777216"]],
  [{ rule: "length", characters: 2, bytes: undefined }, ["abc"], ["ab", "🐘ä"]],
  [{ rule: "length", characters: undefined, bytes: 2 }, ["\\x010203", "abc"], ["\\x0102", "ab"]],
  [{ rule: "nul" }, ["a\0b"], ["a"]],
  [
    { rule: "years", first: "0001-01-01", last: "9999-12-31" },
    ["10000-01-01", "infinity", "0044-03-15 BC"],
    ["0001-01-01", "9999-12-31 23:59:59.999999"],
  ],
  [{ rule: "zero-dates" }, ["0000-00-00", "2024-00-01", "2024-01-00 00:00:00"], ["2024-01-10"]],
  [{ rule: "time-of-day" }, ["-00:00:01", "25:00:00", "838:59:59"], ["24:00:00", "00:00:00"]],
  [{ rule: "fraction", digits: 3 }, ["12:00:00.0001"], ["12:00:00.001", "12:00:00", "12:00:00.100000"]],
  [{ rule: "label", labels: ["a"] }, ["b", ""], ["a"]],
] as const)("%o: %s are lost, %s are not", (rule, lost, kept) => {
  for (const text of lost) expect([text, isLost({ ...loss, ...rule } as never, text)]).toEqual([text, true]);
  for (const text of kept) expect([text, isLost({ ...loss, ...rule } as never, text)]).toEqual([text, false]);
});

test.each([
  ["810dfb38d204d2", 14, 4, "1234567890.1234"],
  ["7ef204c72dfb2d", 14, 4, "-1234567890.1234"],
  ["80", 1, 0, "0"],
])("the bytes %s are a decimal(%i,%i): %s", (hex, precision, scale, expected) => {
  expect(decimalText(Buffer.from(hex, "hex"), precision, scale)).toBe(expected);
});

test.each([
  [1, "1.0"],
  [-0.5, "-0.5"],
  [1e15, "1e15"],
  [123456789012345, "123456789012345.0"],
  [1.5e300, "1.5e300"],
  [1e-7, "0.0000001"],
  [5e-324, "5e-324"],
  [0, "0.0"],
])("the double %d in JSON is %s", (value, expected) => {
  expect(jsonDouble(value)).toBe(expected);
});

const [UUID_A, UUID_B] = ["aaaaaaaa-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000002"];

test.each([
  ["what the server has replicated since", true, "7-1-30,0-101-5", "7-1-20", "7-1-30", "7-1-30"],
  ["another server of the source wrote last", true, "7-3-200", "7-1-105", "7-1-105,7-3-210", "7-3-200"],
  ["a former primary of the target has not replicated yet", true, "0-101-5", "7-1-20", "7-1-30", "7-1-20"],
  ["an earlier job got less far", true, "7-1-10", "7-1-20", "7-1-30", "7-1-20"],
  [
    "both together",
    false,
    `${UUID_A}:1-30,cccccccc-0000-0000-0000-000000000003:1-9`,
    `${UUID_A}:1-20`,
    `${UUID_A}:1-40`,
    `${UUID_A}:1-30`,
  ],
  [
    "a new primary of the source",
    false,
    `${UUID_A}:1-5,${UUID_B}:1-2`,
    `${UUID_A}:1-9`,
    `${UUID_A}:1-9,${UUID_B}:1-8`,
    `${UUID_A}:1-9,${UUID_B}:1-2`,
  ],
])("a server goes on by itself from where it is: %s", (_, isMariadb, replicated, begun, has, expected) => {
  expect(positionOf(isMariadb, replicated, begun, has)).toBe(expected);
});

test("a server's address is read for each node, and a wrong one is not shown", () => {
  const one = { host: "db2", port: 3307, user: "re pl", password: "ge:heim", tls: false };
  expect(readAddress("mysql://re%20pl:ge%3Aheim@db1,db2:3307/shop", 1, 2)).toEqual(one);
  expect(readAddress("mariadb://repl@[::1]?ssl=true&ssl-ca=/etc/ca.pem", 2, 3)).toEqual({
    host: "::1",
    port: 3306,
    user: "repl",
    password: "",
    tls: { ca: "/etc/ca.pem" },
  });
  for (const url of ["mysql://repl:geheim@a,b", "postgres://repl:geheim@a", "geheim", "mysql://repl:geheim@a?tls=1"]) {
    const read = () => readAddress(url, 0, 3);
    expect(read).toThrow("native.connection");
    expect(read).not.toThrow("geheim");
  }
});
