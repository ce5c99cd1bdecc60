import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import type { PoolOptions } from "../src/config/options.ts";
import { optionRules } from "../src/config/options.ts";
import { resolveConfig } from "../src/config/resolve.ts";
import { redactUrl, Secret } from "../src/config/secret.ts";
import type { Driver } from "../src/driver.ts";
import { OptionsError } from "../src/errors.ts";
import { positions } from "./fixtures.ts";

const PASSWORD = "hunter2-and-more";

/** Parses URLs as a driver does; everything else is never called. */
const driver: Driver = {
  name: "scripted",
  defaultPort: 5432,
  positions,
  transactions: { begin: () => "BEGIN", commit: "COMMIT", rollback: "ROLLBACK" },
  parseUrl: (url) => {
    if (!URL.canParse(url)) throw new Error("a URL");
    const { hostname, port, username, password, pathname, searchParams } = new URL(url);
    return {
      host: hostname,
      port: port === "" ? 5432 : Number(port),
      user: username,
      ...(password !== "" && { password }),
      database: pathname.slice(1),
      parameters: Object.fromEntries(searchParams),
    };
  },
  connect: () => Promise.reject(new Error("never called")),
  probe: () => Promise.reject(new Error("never called")),
  classify: () => ({ kind: "statement", code: undefined }),
  inspect: () => {
    throw new Error("never called");
  },
};

const nodes = ["db://one"];

/** As a caller without types would write it. */
function resolve(options: Record<string, unknown>): unknown {
  return resolveConfig({ driver, nodes, ...options } as unknown as PoolOptions);
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    expect(error).toBeInstanceOf(OptionsError);
    return (error as OptionsError).message;
  }
  throw new Error("it was accepted");
}

describe("defaults", () => {
  const config = resolveConfig({ driver, nodes });

  test.each(Object.keys(optionRules) as (keyof typeof optionRules)[])(
    "of the group %s are those of its table",
    (group) => {
      const defaults = Object.entries(optionRules[group]).map(([key, rule]) => [key, rule.default]);
      expect(config[group]).toEqual(Object.fromEntries(defaults));
    },
  );

  test("are frozen, as all of the configuration is", () => {
    expect([config, config.nodes, config.nodes[0], config.pool, config.timeouts].every(Object.isFrozen)).toBe(true);
  });
});

describe("every option", () => {
  const rules = Object.entries(optionRules).flatMap(([group, options]) =>
    Object.entries(options).map(([key, rule]) => ({ path: `${group}.${key}`, group, key, rule })),
  );
  const numbers = rules.flatMap(({ rule, ...rest }) =>
    rule.type === "integer" || rule.type === "number" ? [{ rule, ...rest }] : [],
  );
  const others = rules.filter(({ rule }) => rule.type === "choice" || rule.type === "boolean");

  test.each(numbers)("$path is accepted at its bounds and refused beyond them", ({ path, group, key, rule }) => {
    // the least `max` goes with the least `min` only
    const rest = path === "pool.min" ? { max: 10_000 } : {};
    for (const value of [rule.min, rule.max])
      expect(() => resolve({ [group]: { ...rest, [key]: value } })).not.toThrow();
    const what = rule.type === "integer" ? "a whole number" : "a number";
    for (const value of [rule.min - 1, rule.max + 1]) {
      expect(messageOf(() => resolve({ [group]: { [key]: value } }))).toBe(
        `${path}: expected ${what} from ${rule.min} to ${rule.max}, got ${value}`,
      );
    }
  });

  test.each(rules)("$path is refused when it is of another type", ({ path, group, key }) => {
    expect(messageOf(() => resolve({ [group]: { [key]: {} } }))).toMatch(
      new RegExp(`^${path}: expected .*, got a object$`),
    );
  });

  test.each(numbers.filter(({ rule }) => rule.type === "integer"))(
    "$path is refused as a fraction",
    ({ path, group, key, rule }) => {
      expect(messageOf(() => resolve({ [group]: { [key]: rule.min + 0.5 } }))).toContain(
        `${path}: expected a whole number`,
      );
    },
  );

  test.each(others)("$path is refused when it is none of its choices", ({ path, group, key }) => {
    expect(messageOf(() => resolve({ [group]: { [key]: "perhaps" } }))).toMatch(
      new RegExp(`^${path}: expected .*, got "perhaps"$`),
    );
  });

  test.each(numbers)("$path is refused when it is no number at all", ({ path, group, key }) => {
    expect(messageOf(() => resolve({ [group]: { [key]: Number.NaN } }))).toMatch(new RegExp(`^${path}: .*, got NaN$`));
  });
});

describe("an option is refused with path, rule and value:", () => {
  const cases: readonly (readonly [string, Record<string, unknown>, string])[] = [
    [
      "an unknown one",
      { poool: {} },
      "poool: expected one of driver, nodes, applicationName, exactlyOnce, retryOnConflict, durability, pool, timeouts, monitor, routing, failover, replay, got an unknown option",
    ],
    [
      "an unknown one of a group",
      { monitor: { interval: 5 } },
      "monitor.interval: expected one of intervalMs, fastIntervalMs, probeTimeoutMs, misses, got an unknown option",
    ],
    [
      "an unknown one of a node",
      { nodes: [{ host: "x", hots: "y" }] },
      "nodes[0].hots: expected one of name, url, host, port, database, user, password, tls, weight, got an unknown option",
    ],
    ["a group that is none", { pool: 5 }, "pool: expected an object, got 5"],
    [
      "no driver",
      { driver: undefined },
      "driver: expected a driver, such as postgres() of @mirrorpool/pg, got undefined",
    ],
    [
      "half a driver",
      { driver: { connect: () => {} } },
      "driver: expected a driver, such as postgres() of @mirrorpool/pg, got a object",
    ],
    ["no nodes", { nodes: [] }, "nodes: expected 1 to 100 URLs or objects, got 0"],
    ["nodes that are no list", { nodes: "db://one" }, 'nodes: expected 1 to 100 URLs or objects, got "db://one"'],
    ["a node that is neither URL nor object", { nodes: [7] }, "nodes[0]: expected a URL or an object, got 7"],
    [
      "the same node twice",
      { nodes: ["db://one", "db://one"] },
      'nodes[1]: expected a node that is not in the list yet, got "one:5432"',
    ],
    [
      "a node without a host",
      { nodes: [{ port: 5 }] },
      "nodes[0].host: expected a host name or address, got undefined",
    ],
    ["a port that is none", { nodes: [{ host: "x", port: "abc" }] }, 'nodes[0].port: expected 1 to 65535, got "abc"'],
    [
      "a port out of range",
      { nodes: ["db://one", { host: "x", port: 65_536 }] },
      "nodes[1].port: expected 1 to 65535, got 65536",
    ],
    [
      "a weight out of range",
      { nodes: [{ host: "x", weight: -1 }] },
      "nodes[0].weight: expected a number from 0 to 1000, got -1",
    ],
    [
      "a password that is none",
      { nodes: [{ host: "x", password: 12345 }] },
      "nodes[0].password: expected a string or a function that returns one, got a number",
    ],
    ["a URL that is none", { nodes: ["what?"] }, 'nodes[0]: expected a URL, got "what?"'],
    ["a name that is no string", { nodes: [{ host: "x", name: 5 }] }, "nodes[0].name: expected a string, got 5"],
    [
      "a number of conflicts out of range",
      { retryOnConflict: 101 },
      "retryOnConflict: expected a whole number from 0 to 100, got 101",
    ],
    [
      "a number of conflicts that is none",
      { retryOnConflict: true },
      "retryOnConflict: expected a whole number from 0 to 100, got true",
    ],
    ["an application name that is no string", { applicationName: 5 }, "applicationName: expected a string, got 5"],
    ["a least that is above the most", { pool: { min: 11 } }, "pool.min: expected at most pool.max (10), got 11"],
  ];

  test.each(cases)("%s", (_, options, message) => {
    expect(messageOf(() => resolve(options))).toBe(message);
  });

  test("no options at all", () => {
    expect(messageOf(() => resolveConfig(undefined as unknown as PoolOptions))).toBe(
      "options: expected an object, got undefined",
    );
  });
});

describe("a node", () => {
  test("is named by host and port unless it has a name", () => {
    const config = resolveConfig({ driver, nodes: ["db://one:77", { name: "second", host: "two" }] });
    expect(config.nodes.map(({ id, port }) => [id, port])).toEqual([
      ["one:77", 77],
      ["second", 5432],
    ]);
  });

  test("takes from its fields what they say, and from its URL the rest", () => {
    const config = resolveConfig({ driver, nodes: [{ url: "db://app:old@one:77/shop?a=b", port: 78, user: "other" }] });
    expect(config.nodes[0]).toMatchObject({
      host: "one",
      port: 78,
      user: "other",
      database: "shop",
      parameters: { a: "b" },
    });
  });
});

describe("a password is never shown", () => {
  const config = resolveConfig({
    driver,
    nodes: [`db://app:${PASSWORD}@one/shop`, { host: "two", password: PASSWORD }],
  });
  const shown: readonly (readonly [string, () => string])[] = [
    ["by util.inspect", () => inspect(config, { depth: 20, showHidden: true })],
    ["by JSON", () => JSON.stringify(config)],
    ["by a template string", () => `${config.nodes[0]?.password} ${config.nodes[1]?.password}`],
    ["by concatenation", () => String(new Secret(PASSWORD))],
    ["by a structured clone's keys", () => Object.keys(new Secret(PASSWORD)).join()],
  ];
  test.each(shown)("%s", (_, show) => {
    expect(show()).not.toContain(PASSWORD);
  });

  const malformed = [
    `db//app:${PASSWORD}@one`,
    `db://app:${PASSWORD}@one:notaport/shop`,
    `db://app:${PASSWORD}@[::1/shop`,
    `db:/app:${PASSWORD}@one:x`,
    `db://one:x/shop?password=${PASSWORD}`,
    `app:${PASSWORD}@one`,
    `//app:${PASSWORD}@one:x`,
  ];
  test.each(malformed)("in the error for the malformed URL %s", (url) => {
    for (const node of [url, { url }]) expect(messageOf(() => resolve({ nodes: [node] }))).not.toContain(PASSWORD);
  });

  test.each([
    ["in the place of the list of nodes", (url: string) => resolve({ nodes: url })],
    ["in the place of all options", (url: string) => resolveConfig(url as never)],
    ["as another option", (url: string) => resolve({ durability: url })],
  ])("not even in a URL %s", (_, given) => {
    expect(messageOf(() => given("db://a:geheim@one/shop"))).toContain("db://a:***@one/shop");
  });

  test("not even in the error for a password of the wrong type", () => {
    expect(messageOf(() => resolve({ nodes: [{ host: "x", password: [PASSWORD] }] }))).not.toContain(PASSWORD);
  });

  test("but it is there for who asks by name", () => {
    const { password } = config.nodes[0] ?? {};
    expect(password instanceof Secret && password.reveal()).toBe(PASSWORD);
  });
});

describe("redactUrl", () => {
  test.each([
    ["postgres://app:secret@one:5432/shop", "postgres://app:***@one:5432/shop"],
    ["postgres://app@one/shop", "postgres://app@one/shop"],
    ["postgres://one/shop", "postgres://one/shop"],
    ["postgres://app:p@ss:w/rd@one/shop", "postgres://app:***@one/shop"],
    ["postgres://one/shop?password=secret&x=1", "postgres://one/shop?password=***&x=1"],
    ["postgres://one/shop?x=1&sslpassword=secret", "postgres://one/shop?x=1&sslpassword=***"],
    ["postgres://one/shop?PWD=secret#end", "postgres://one/shop?PWD=***#end"],
    ["postgres://one/shop?api_token=secret", "postgres://one/shop?api_token=***"],
    ["postgres//app:secret@one/shop", "postgres//app:***@one/shop"],
    ["//app:secret@one/shop", "//app:***@one/shop"],
    ["app:secret@one/shop", "app:***@one/shop"],
  ])("makes of %s", (url, expected) => {
    expect(redactUrl(url)).toBe(expected);
  });
});
