import { describe, expect, test } from "vitest";
import { createCache } from "../src/cache.ts";
import { createInspector, inspect } from "../src/index.ts";

describe("an inspector", () => {
  test("answers as inspect does, with the same object for the same text", () => {
    const inspector = createInspector("postgres");
    const facts = inspector.inspect("SELECT 1");
    expect(facts).toEqual(inspect("SELECT 1", "postgres"));
    expect(inspector.inspect("SELECT 1")).toBe(facts);
  });

  test("forgets a text after as many others as its bound", () => {
    const inspector = createInspector("postgres", { maxEntries: 10 });
    const facts = inspector.inspect("SELECT 1");
    for (let i = 0; i < 10; i += 1) inspector.inspect(`SELECT ${i} + 1`);
    expect(inspector.inspect("SELECT 1")).not.toBe(facts);
  });

  test("does not remember long texts", () => {
    const inspector = createInspector("postgres", { maxTextLength: 8 });
    expect(inspector.inspect("SELECT 1")).toBe(inspector.inspect("SELECT 1"));
    expect(inspector.inspect("SELECT 12")).not.toBe(inspector.inspect("SELECT 12"));
  });

  test.each([
    [{ maxEntries: 1 }, "maxEntries: expected an integer >= 2, got 1"],
    [{ maxEntries: 2.5 }, "maxEntries: expected an integer >= 2, got 2.5"],
    [{ maxEntries: Number.NaN }, "maxEntries: expected an integer >= 2, got NaN"],
    [{ maxTextLength: -1 }, "maxTextLength: expected an integer >= 0, got -1"],
  ])("refuses %j", (options, message) => {
    expect(() => createInspector("postgres", options)).toThrow(new RangeError(message));
  });

  test("reads texts in the mode that it is told", () => {
    const text = "SELECT 'it\\'s'";
    expect(createInspector("mysql").inspect(text).intent).toBe("write");
    expect(createInspector("mysql", { sqlMode: "STRICT_TRANS_TABLES" }).inspect(text).intent).toBe("read");
  });

  test.each([
    ["postgres", { sqlMode: "" }, "sqlMode: expected nothing for postgres, got "],
    ["mysql", { sqlMode: 5 as unknown as string }, "sqlMode: expected the text of @@sql_mode, got 5"],
  ] as const)("refuses for %s %j", (dialect, options, message) => {
    expect(() => createInspector(dialect, options)).toThrow(new RangeError(message));
  });

  test("refuses a dialect that it does not know", () => {
    expect(() => createInspector("toString" as "postgres")).toThrow(
      new RangeError("dialect: expected one of postgres, mysql, got toString"),
    );
  });
});

describe("the cache", () => {
  test.each([2, 3, 10, 2000])("never holds more than %i", (maxEntries) => {
    const cache = createCache<number>(maxEntries);
    let most = 0;
    for (let i = 0; i < 3 * maxEntries; i += 1) {
      cache.get(`text ${i}`, (text) => text.length);
      cache.get(`text ${i % 7}`, (text) => text.length);
      most = Math.max(most, cache.size);
    }
    expect(most).toBeLessThanOrEqual(maxEntries);
    expect(most).toBeGreaterThan(maxEntries / 2);
  });

  test("keeps what is in use while others come and go", () => {
    const cache = createCache<string>(10);
    let made = 0;
    for (let i = 0; i < 1000; i += 1) {
      cache.get("hot", (text) => {
        made += 1;
        return text;
      });
      cache.get(`cold ${i}`, (text) => text);
    }
    expect(made).toBe(1);
  });
});
