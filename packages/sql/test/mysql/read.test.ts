import { describe, expect, test } from "vitest";
import { inspect } from "../../src/index.ts";
import { corpus } from "../corpus.ts";

describe("reads that ORMs generate go to mirrors", () => {
  test.each(corpus("mysql-reads"))("%s", (sql) => {
    expect(inspect(sql, "mysql").intent).toBe("read");
  });
});

describe("what writes, locks, or asks the connection is no read", () => {
  test.each(corpus("mysql-queries"))("%s", (sql) => {
    expect(inspect(sql, "mysql").intent).toBe("write");
  });
});
