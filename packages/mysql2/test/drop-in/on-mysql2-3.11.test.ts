import mysql2 from "mysql2";
import alias from "mysql2-3.11";
import { expect, test, vi } from "vitest";
import { sameAsMysql2 } from "./same-as-mysql2.ts";

vi.mock("mysql2", () => import("mysql2-3.11"));
vi.mock("mysql2/promise", () => import("mysql2-3.11/promise"));

test("these tests, and the drop-in in them, are on mysql2 3.11", () => {
  expect(mysql2).toBe(alias);
});

sameAsMysql2("3.11", ["mariadb"], {
  "a connection that is made as new": /reset is not a function/,
  "names that are removed before the first connection": /remove is not a function/,
});
