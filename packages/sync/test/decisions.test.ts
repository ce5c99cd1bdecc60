import { describe, expect, test } from "vitest";
import { evenBytes } from "../src/copy/chunks.ts";
import { type Change, netEffect } from "../src/follow/net-effect.ts";
import { decideStart, formatPosition, parsePosition } from "../src/follow/postgres/position.ts";
import { foreignKeyOrder } from "../src/foreign-key-order.ts";
import type { Catalog, ForeignKey, Table } from "../src/model.ts";
import { isLossless } from "../src/pair-tables.ts";
import { formatLsn, parseLsn } from "../src/postgres/pgoutput.ts";
import { quoteText } from "../src/postgres/quote.ts";
import { selectTables } from "../src/select.ts";

describe("what many changes come to", () => {
  const table = "t";
  const insert = (id: string, ...row: (string | undefined)[]): Change => ({
    type: "insert",
    table,
    key: [id],
    row: [id, ...row],
    isSilent: false,
  });
  const update = (id: string, ...row: (string | undefined)[]): Change => ({
    type: "update",
    table,
    key: [id],
    newKey: [row[0] ?? id],
    row: [row[0] ?? id, ...row.slice(1)],
    isSilent: false,
  });
  const remove = (id: string): Change => ({ type: "delete", table, key: [id], isSilent: false });
  test.each<[string, Change[], unknown]>([
    ["the last value counts", [update("1", "1", "a"), update("1", "1", "b")], [["update", "1", ["1", "b"]]]],
    [
      "what was not sent is what it was",
      [update("1", "1", "a"), update("1", "1", undefined)],
      [["update", "1", ["1", "a"]]],
    ],
    ["what nobody knows stays unknown", [update("1", "1", undefined)], [["update", "1", ["1", undefined]]]],
    ["what comes and goes leaves nothing", [insert("1", "a"), remove("1")], []],
    ["what comes and changes comes changed", [insert("1", "a"), update("1", "1", "b")], [["insert", "1", ["1", "b"]]]],
    ["what goes and comes back is changed", [remove("1"), insert("1", "b")], [["update", "1", ["1", "b"]]]],
    ["what changes and goes is gone", [update("1", "1", "a"), remove("1")], [["delete", "1", undefined]]],
    [
      "another key is a row that goes and one that comes",
      [update("1", "2", "a")],
      [
        ["delete", "1", undefined],
        ["insert", "2", ["2", "a"]],
      ],
    ],
    ["another key with what was not sent cannot be told", [update("1", "2", undefined)], undefined],
    ["a row that comes twice cannot be told", [insert("1", "a"), insert("1", "b")], undefined],
    ["a row that changes after it is gone cannot be told", [remove("1"), update("1", "1", "a")], undefined],
    ["nor one that goes twice", [remove("1"), remove("1")], undefined],
  ])("%s", (_, changes, expected) => {
    const effects = netEffect(changes)
      ?.get(table)
      ?.map(({ type, key, row }) => [type, key[0], row]);
    expect(effects).toEqual(expected);
  });
});

describe("from where a follower goes on", () => {
  const position = { system: "7", timeline: 3, lsn: 100n };
  const slot = { confirmed: 90n, isUsable: true };
  const source = { system: "7", timeline: 3, position: 200n };
  test.each([
    ["the same server", source, slot, undefined, "continue"],
    ["a slot that has confirmed just that", source, { ...slot, confirmed: 100n }, undefined, "continue"],
    ["another cluster", { ...source, system: "8" }, slot, undefined, "foreign"],
    ["no slot", source, undefined, undefined, "reseed"],
    ["a slot that has lost its WAL", source, { ...slot, isUsable: false }, undefined, "reseed"],
    ["a slot that is ahead of the target", source, { ...slot, confirmed: 101n }, undefined, "reseed"],
    ["a source that is behind the target", { ...source, position: 99n }, slot, undefined, "reseed"],
    ["a failover after the position", { ...source, timeline: 4 }, slot, 100n, "continue"],
    ["a failover before the position", { ...source, timeline: 4 }, slot, 99n, "reseed"],
    ["a timeline that never was on ours", { ...source, timeline: 4 }, slot, undefined, "reseed"],
  ])("%s: %#", (_, found, there, end, expected) => {
    expect(decideStart(position, found, there, end).type).toBe(expected);
  });

  test("positions are written as they are read", () => {
    expect(parsePosition(formatPosition(position))).toEqual(position);
    expect(formatLsn(parseLsn("16/B374D848"))).toBe("16/B374D848");
  });
});

describe("the order of tables", () => {
  const key = (table: string, references: string): ForeignKey => ({
    name: "k",
    table: { schema: "s", name: table },
    references: { schema: "s", name: references },
    isDeferrable: false,
  });
  const tables = ["a", "b", "c", "d"].map((name) => ({ schema: "s", name }));

  test("parents come before their children", () => {
    const { levels, circular } = foreignKeyOrder(tables, [
      key("a", "b"),
      key("b", "c"),
      key("a", "c"),
      key("d", "other"),
    ]);
    expect(Object.fromEntries(levels)).toEqual({ "s.c": 0, "s.d": 0, "s.b": 1, "s.a": 2 });
    expect([...circular]).toEqual([]);
  });

  test("circles are named, and what hangs on them is not", () => {
    const { circular } = foreignKeyOrder(tables, [key("a", "b"), key("b", "a"), key("c", "a"), key("d", "d")]);
    expect([...circular].sort()).toEqual(["s.a", "s.b", "s.d"]);
  });
});

test.each([
  ["integer", "bigint", true],
  ["bigint", "integer", false],
  ["bigint", "numeric", true],
  ["numeric(10,2)", "numeric(10,3)", false],
  ["character varying(5)", "character varying(9)", true],
  ["character varying(9)", "character varying(5)", false],
  ["character varying", "character varying(5)", false],
  ["character varying(5)", "text", true],
  ["text", "character varying", true],
  ["character(5)", "text", false],
  ["timestamp without time zone", "timestamp with time zone", false],
])("%s fits into %s: %s", (from, to, expected) => {
  expect(isLossless(from, to)).toBe(expected);
});

test("tables are chosen by patterns and names", () => {
  const names = ["public.order", "public.order_line", "audit.order", "public.a.b*", "public.mirrorpool_ledger"];
  const tables = names.map(
    (name) => ({ schema: name.split(".")[0], name: name.slice(name.indexOf(".") + 1) }) as Table,
  );
  const choose = (...chosen: Parameters<typeof selectTables>[1] & object) =>
    selectTables({ tables } as unknown as Catalog, chosen, ["audit.x*"], []).tables.map(
      ({ schema, name }) => `${schema}.${name}`,
    );
  expect(choose("*.*")).toEqual(names.slice(0, 4));
  expect(choose("order")).toEqual(["public.order"]);
  expect(choose("order*")).toEqual(["public.order", "public.order_line"]);
  expect(choose("*.order")).toEqual(["public.order", "audit.order"]);
  expect(choose({ name: "a.b*" })).toEqual(["public.a.b*"]);
  expect(selectTables({ tables } as unknown as Catalog, ["nobody"], [], []).missing).toEqual(["nobody"]);
});

test("texts are quoted for any setting of the server", () => {
  expect(quoteText("it's")).toBe("'it''s'");
  expect(quoteText("a\\'b")).toBe(" E'a\\\\''b'");
});

test.each([
  ["a small database", [20, 5], 64, 2, 8],
  ["one big table for few connections", [240], 64, 2, 30],
  ["as much as was asked for", [2000, 900], 64, 4, 64],
  ["less than that", [20], 1, 4, 1],
])(
  "chunks are small enough that all connections end at about the same time: %s",
  (_, sizes, asked, connections, expected) => {
    const tables = sizes.map((size) => ({ bytes: size * 1_048_576 }) as Table);
    expect(evenBytes(tables, asked * 1_048_576, connections)).toBe(expected * 1_048_576);
  },
);
