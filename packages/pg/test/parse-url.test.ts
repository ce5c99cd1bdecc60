import { postgres } from "@mirrorpool/pg";
import { expect, test } from "vitest";

const { parseUrl, defaultPort } = postgres();

test("a URL is read as pg reads it", () => {
  expect(parseUrl("postgres://app:s%40cret@db.example:5433/shop")).toEqual({
    host: "db.example",
    port: 5433,
    database: "shop",
    user: "app",
    password: "s@cret",
    tls: undefined,
    parameters: {},
  });
});

test("what a URL leaves out is left to pg, but for the port", () => {
  expect(parseUrl("postgresql://db.example")).toMatchObject({
    host: "db.example",
    port: defaultPort,
    database: undefined,
  });
  expect(parseUrl("POSTGRES://db.example/")).toMatchObject({ host: "db.example" });
});

test("TLS and further parameters are passed on", () => {
  expect(parseUrl("postgres://db.example/shop?sslmode=disable")).toMatchObject({ tls: false });
  expect(parseUrl("postgres://db.example/shop?sslmode=no-verify")).toMatchObject({
    tls: { rejectUnauthorized: false },
  });
  const { parameters } = parseUrl("postgres://db.example/shop?application_name=x&options=-c%20work_mem%3D8MB");
  expect(parameters).toMatchObject({ application_name: "x", options: "-c work_mem=8MB" });
});

test("an address of IP version 6 is one", () => {
  expect(parseUrl("postgres://app@[::1]:5433/shop").host.replace(/[[\]]/g, "")).toBe("::1");
});

test("a password that was not encoded is taken as pg takes it", () => {
  expect(parseUrl("postgres://app:100%@db.example/shop").password).toBe("100%");
  expect(parseUrl("postgres://app:two words@db.example/shop").password).toBe("two words");
});

const bad = [
  "mysql://app:hunter2@db.example/shop",
  "app:hunter2@db.example",
  "postgres://app:hunter2@db.example:99999/shop",
  "postgres://app:hunter2@db.example:port/shop",
  "postgres://app:hunter2@:5432/shop",
  "postgres://app:hunter2@one,two/shop",
  "postgres://app:hunter2@one:5432,two:5433/shop",
  "postgres://app:hunter2@/shop?host=",
  "hunter2",
  "",
];

test("a URL with several hosts is told where each of them belongs", () => {
  expect(() => parseUrl("postgres://app@one,two/shop")).toThrow("each node is an entry of its own in `nodes`");
  expect(parseUrl("postgres://app:a,b@one/shop").password).toBe("a,b");
});

test.each(bad)("%j is refused by a rule that does not show the password", (url) => {
  let message = "";
  try {
    parseUrl(url);
  } catch (error) {
    message = error instanceof Error ? `${error.message} ${error.stack} ${String(error.cause)}` : "";
  }
  expect(message).not.toBe("");
  expect(message).not.toContain("hunter2");
});
