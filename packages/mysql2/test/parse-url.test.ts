import { mysql } from "@mirrorpool/mysql2";
import { expect, test } from "vitest";

const { parseUrl, defaultPort } = mysql();

test("a URL is taken apart, what it encodes is decoded", () => {
  expect(parseUrl("mysql://app:s%40cret@db.example:3307/shop")).toEqual({
    host: "db.example",
    port: 3307,
    database: "shop",
    user: "app",
    password: "s@cret",
    tls: undefined,
    parameters: {},
  });
});

test("what a URL leaves out is left to mysql2, but for the port", () => {
  expect(parseUrl("mariadb://db.example")).toMatchObject({
    host: "db.example",
    port: defaultPort,
    database: undefined,
    user: undefined,
    password: undefined,
  });
  expect(parseUrl("MYSQL://db.example/")).toMatchObject({ host: "db.example" });
});

test("TLS and further parameters are passed on", () => {
  expect(parseUrl("mysql://db.example/shop?ssl=true")).toMatchObject({ tls: true });
  expect(parseUrl('mysql://db.example/shop?ssl={"rejectUnauthorized":false}')).toMatchObject({
    tls: { rejectUnauthorized: false },
  });
  expect(parseUrl("mysql://db.example/shop?charset=utf8mb4&dateStrings=true").parameters).toEqual({
    charset: "utf8mb4",
    dateStrings: "true",
  });
});

test("an address of IP version 6 is one", () => {
  expect(parseUrl("mysql://app@[::1]:3307/shop").host).toBe("::1");
});

test("a URL with several hosts is told where each of them belongs", () => {
  expect(() => parseUrl("mysql://app@one,two/shop")).toThrow("each node is an entry of its own in `nodes`");
  expect(parseUrl("mysql://app:a,b@one/shop").password).toBe("a,b");
});

test.each([
  "postgres://app:hunter2@db.example/shop",
  "app:hunter2@db.example",
  "mysql://app:hunter2@db.example:99999/shop",
  "mysql://app:hunter2@db.example:0/shop",
  "mysql://app:hunter2@db.example:port/shop",
  "mysql://app:hunter2@:3306/shop",
  "mysql://app:hunter2@one,two/shop",
  "mysql://app:hunter2%@db.example/shop",
  "hunter2",
  "",
])("%j is refused by a rule that does not show the password", (url) => {
  let message = "";
  try {
    parseUrl(url);
  } catch (error) {
    message = error instanceof Error ? `${error.message} ${error.stack} ${String(error.cause)}` : "";
  }
  expect(message).not.toBe("");
  expect(message).not.toContain("hunter2");
});
