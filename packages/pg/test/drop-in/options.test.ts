import { type FailoverPool, NoNodeError, OptionsError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { Client, createDropIn, type DropInPoolConfig, Pool } from "@mirrorpool/pg";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { nodesOf, openCore, rejection, soon, until } from "./support.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
});
afterAll(() => cluster?.close());

/** `user:password@host1:port1,host2:port2/database` of the whole cluster. */
function listUrl(): string {
  const [first = ""] = cluster.urls;
  const { username, password, pathname } = new URL(first);
  const hosts = cluster.urls.map((url) => new URL(url).host).join(",");
  return `postgres://${username}:${password}@${hosts}${pathname}`;
}

async function useOnce(config: DropInPoolConfig | undefined): Promise<unknown> {
  const pool = new Pool(config);
  try {
    const text = "SELECT current_user AS u, current_database() AS d, current_setting('statement_timeout') AS t";
    return (await pool.query(text)).rows[0];
  } finally {
    await pool.end();
  }
}

const APP = { u: "app", d: "app", t: "0" };

describe("the nodes are", () => {
  test("those of a URL with several hosts, whichever of them is the primary", async () => {
    for (let i = 0; i < 2; i += 1) {
      expect(await useOnce({ connectionString: listUrl() })).toEqual(APP);
      await cluster.switchover(cluster.mirrors()[0] as never);
    }
  });

  test("the one of a single URL, or of pg's own options", async () => {
    const { hostname: host, port } = new URL(cluster.primary().url);
    expect(await useOnce({ connectionString: cluster.primary().url })).toEqual(APP);
    const login = { user: "app", password: "secret", database: "app" };
    expect(await useOnce({ host, port: Number(port), ...login })).toEqual(APP);
    expect(await useOnce({ host, port: Number(port), ...login, password: async () => "secret" })).toEqual(APP);
  });

  test("those of the environment, lists included", async () => {
    const urls = cluster.urls.map((url) => new URL(url));
    vi.stubEnv("PGHOST", urls.map(({ hostname }) => hostname).join(","));
    vi.stubEnv("PGPORT", urls.map(({ port }) => port).join(","));
    vi.stubEnv("PGUSER", "app");
    vi.stubEnv("PGPASSWORD", "secret");
    vi.stubEnv("PGDATABASE", "app");
    try {
      expect(await useOnce(undefined)).toEqual(APP);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test("those of `mirrorpool`", async () => {
    expect(await useOnce({ mirrorpool: { nodes: nodesOf(cluster) } })).toEqual(APP);
  });
});

test("a comma in a password makes no list", async () => {
  const url = cluster.primary().url.replace("secret", "se,cret");
  expect((await rejection(useOnce({ connectionString: url }))).cause).toMatchObject({
    message: expect.stringContaining("28P01"),
  });
});

test("settings of pg reach every connection", async () => {
  const config = { connectionString: listUrl(), statement_timeout: 7000, application_name: "shop", lock_timeout: 6000 };
  expect(await useOnce(config)).toMatchObject({ t: "7s" });
  expect(await useOnce({ connectionString: `${listUrl()}?statement_timeout=8000` })).toMatchObject({ t: "8s" });
  const pool = new Pool(config);
  const { rows } = await pool.query(
    "SELECT current_setting('application_name') AS a, current_setting('lock_timeout') AS l",
  );
  expect(rows).toEqual([{ a: "shop", l: "6s" }]);
  await pool.end();
});

test("target_session_attrs of a URL keeps reads on the primary", async () => {
  const pool = new Pool({ connectionString: `${listUrl()}?target_session_attrs=read-write` });
  const { rows } = await pool.query("SELECT 1 AS one");
  expect(rows).toEqual([{ one: 1 }]);
  await pool.end();
  expect(() => new Pool({ connectionString: `${listUrl()}?target_session_attrs=standby` })).toThrow(OptionsError);
});

describe("what cannot be honoured is refused:", () => {
  let core: FailoverPool;
  beforeAll(() => {
    core = openCore(cluster);
  });
  afterAll(() => core.close());

  const refused: readonly (readonly [string, (core: FailoverPool) => Record<string, unknown>, string])[] = [
    ["a pipeline", () => ({ pipeline: true }), "pipeline"],
    ["maxUses", () => ({ maxUses: 10 }), "maxUses"],
    ["a Client", () => ({ Client: pg.Client }), "Client"],
    ["replication", () => ({ replication: "database" }), "replication"],
    ["a host beside a pool", (mirrorpool) => ({ mirrorpool, host: "db1" }), "host"],
    ["a password beside a pool", (mirrorpool) => ({ mirrorpool, password: "hunter2" }), "password"],
    ["a setting beside a pool", (mirrorpool) => ({ mirrorpool, statement_timeout: 1 }), "statement_timeout"],
    ["a host beside nodes", () => ({ mirrorpool: { nodes: ["postgres://db1/shop"] }, host: "db2" }), "host"],
    ["an unknown option of mirrorpool", () => ({ mirrorpool: { nodez: [] } }), "nodez"],
    ["no pool and no options", () => ({ mirrorpool: "db1" }), "mirrorpool"],
    ["a list with an empty place", () => ({ host: "db1,,db2" }), "host"],
    ["a list of ports of another length", () => ({ host: "db1,db2", port: "1,2,3" }), "port"],
    ["a port that is none", () => ({ connectionString: "postgres://u:hunter2@db1:x,db2/shop" }), "port"],
    ["a text that is no URL", () => ({ connectionString: "postgres://u:hunter2@db1:99999/shop" }), "connectionString"],
  ];

  test.each(refused)("%s", (_, config, path) => {
    for (const open of [() => new Pool(config(core) as never), () => new Client(config(core) as never)]) {
      let error: unknown;
      try {
        open();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(OptionsError);
      expect((error as OptionsError).message).toContain(`${path}: expected`);
      expect((error as OptionsError).message).not.toContain("hunter2");
    }
  });
});

test("a pool that was given is not closed, one of its own is", async () => {
  const core = openCore(cluster);
  const given = new Pool({ mirrorpool: core });
  await given.query("SELECT 1");
  await given.end();
  expect((await core.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  await core.close();
  const own = new Pool({ connectionString: listUrl() });
  await own.query("SELECT 1");
  await own.end();
  const connections = "SELECT count(*)::int FROM pg_stat_activity WHERE usename = 'app'";
  await until("all connections to end", async () => {
    const counts = await Promise.all(cluster.nodes.map((node) => node.query<{ count: number }>(connections)));
    return counts.every(([row]) => row?.count === 0);
  });
});

test("a wrong password is told at once when connecting, and never shown", async () => {
  const pool = new Pool({ connectionString: cluster.primary().url.replace("secret", "hunter2") });
  const error = await soon("connecting", rejection(pool.connect()));
  expect(String(error.cause)).toContain("28P01");
  for (const each of [error, pool]) {
    expect((await import("node:util")).inspect(each, { depth: 8 })).not.toContain("hunter2");
  }
  await pool.end();
});

test("when pg-pool ends the wait for a connection, the cause says what each node was last seen to be", async () => {
  const pool = new Pool({ connectionString: "postgres://app@no-such-host.invalid/app", connectionTimeoutMillis: 1000 });
  const error = await soon("connecting", rejection(pool.connect()));
  expect(error.message).toBe("Connection terminated due to connection timeout");
  expect(error.cause).toBeInstanceOf(NoNodeError);
  expect(String(error.cause)).toMatch(/no-such-host\.invalid:5432 (down|unknown)/);
  await pool.end();
});

test("a stand-in for the module has everything that pg has, and its state is pg's", async () => {
  const core = openCore(cluster);
  const standIn = createDropIn({ mirrorpool: core });
  for (const name of Object.keys(pg)) expect(standIn).toHaveProperty(name);
  for (const name of ["types", "defaults", "Query", "DatabaseError", "Result", "TypeOverrides"] as const) {
    expect(standIn[name]).toBe(pg[name]);
  }
  expect(standIn.native).toBeUndefined();
  // as libraries do it: with hosts and logins of their own idea
  const pool = new standIn.Pool({ host: "nowhere.invalid", user: "nobody", max: 2 });
  expect(pool).toBeInstanceOf(pg.Pool);
  expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  await pool.end();
  const client = new standIn.Client({ host: "nowhere.invalid", port: 1 });
  expect(client).toBeInstanceOf(pg.Client);
  await client.connect();
  expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  await client.end();
  await core.close();
});
