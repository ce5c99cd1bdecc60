import { createPool, type FailoverPool, OptionsError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { type MirrorpoolOption, postgres } from "@mirrorpool/pg";
import { mirroredPostgres, type PostgresOptions } from "@mirrorpool/typeorm";
import { DataSource } from "typeorm";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { keepLog, until } from "./support.ts";

let cluster: LabCluster;
let pool: FailoverPool;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  pool = createPool({ driver: postgres(), nodes: cluster.urls });
});
afterAll(async () => {
  await pool?.close();
  await cluster?.close();
});

/** A data source on the cluster with these options, for as long as the work takes. */
async function using<T>(
  own: Partial<PostgresOptions>,
  source: MirrorpoolOption | undefined,
  work: (db: DataSource) => Promise<T>,
): Promise<T> {
  const db = await new DataSource(mirroredPostgres({ type: "postgres", ...own }, source)).initialize();
  try {
    return await work(db);
  } finally {
    await db.destroy();
  }
}

/** Where the lab's nodes are, in TypeORM's words. */
const credentials = (): readonly Required<NonNullable<PostgresOptions["replication"]>>["slaves"][number][] =>
  cluster.urls.map((url) => {
    const { hostname, port, username, password, pathname } = new URL(url);
    return { host: hostname, port: Number(port), username, password, database: pathname.slice(1) };
  });

const SECRET = "not-to-be-shown";

describe("what would be ignored is refused by its name", () => {
  const [given, nodes]: [() => FailoverPool, () => MirrorpoolOption] = [() => pool, () => ({ nodes: cluster.urls })];
  test.each<[string, Partial<PostgresOptions>, (() => MirrorpoolOption) | undefined]>([
    ["url", { url: `postgres://app:${SECRET}@db1/shop` }, given],
    ["password", { password: SECRET }, given],
    ["password", { password: SECRET }, nodes],
    ["database", { database: "shop" }, nodes],
    ["applicationName", { applicationName: "shop" }, given],
    ["poolSize", { poolSize: 5 }, given],
    ["extra.max", { extra: { max: 5 } }, given],
    ["replication.host", { replication: { master: { host: "db1" }, slaves: [] } }, given],
    ["replication.url", { replication: { master: {}, slaves: [{ url: "postgres://db2/shop" }] } }, nodes],
    ["host", { host: "db1", replication: { master: { host: "db1" }, slaves: [] } }, undefined],
    ["driver", { driver: {} }, nodes],
    ["nativeDriver", { nativeDriver: {} }, nodes],
  ])("%s", (name, own, source) => {
    const attempt = (): unknown => mirroredPostgres({ type: "postgres", ...own }, source?.());
    expect(attempt).toThrow(OptionsError);
    expect(attempt).toThrow(new RegExp(`^${name}: `));
    expect(attempt).not.toThrow(SECRET);
  });

  test.each<[string, Partial<PostgresOptions>, () => MirrorpoolOption]>([
    ["statement_timeout", { extra: { statement_timeout: 1000 } }, given],
    ["options", { extra: { options: "-c work_mem=64MB" } }, given],
    ["statement_timeout", { extra: { statement_timeout: 1 } }, () => ({ driver: postgres(), nodes: cluster.urls })],
    ["pool.maximum", {}, () => ({ nodes: cluster.urls, pool: { maximum: 5 } as object })],
  ])("%s, by initialize()", async (name, own, source) => {
    const db = new DataSource(mirroredPostgres({ type: "postgres", ...own }, source()));
    await expect(db.initialize()).rejects.toThrow(new RegExp(`^${name}: `));
  });
});

describe("TypeORM's own words for a pool", () => {
  const find = async (db: DataSource, sql: string): Promise<unknown> => {
    const runner = db.createQueryRunner("slave");
    return runner.query(sql).finally(() => runner.release());
  };

  test("a replication that was there is enough: which one is the master is found out", async () => {
    const [first, second] = credentials();
    if (first === undefined || second === undefined) throw new Error("the cluster has two nodes");
    // the mirror as the master
    await using({ replication: { master: second, slaves: [first] } }, undefined, async (db) => {
      expect(await db.query("SELECT pg_is_in_recovery() AS mirror")).toEqual([{ mirror: false }]);
      const [mirror] = cluster.mirrors();
      await until("the mirror to answer", async () => {
        await find(db, "SELECT 1 AS from_a_slave");
        const sql = "SELECT FROM pg_stat_activity WHERE usename = 'app' AND query LIKE '%from_a_slave'";
        return mirror !== undefined && (await mirror.query(sql)).length > 0;
      });
    });
  });

  test("one server, by url or by host, is a pool of one node", async () => {
    const [one] = credentials();
    for (const own of [{ url: cluster.primary().url }, { ...one }]) {
      await using(own, undefined, async (db) => {
        expect(await find(db, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
      });
    }
  });

  test("applicationName, poolSize and extra hold for each connection", async () => {
    const own = {
      applicationName: "shop",
      poolSize: 3,
      extra: { statement_timeout: 12_345, query_timeout: 5_000 },
    };
    await using(own, { nodes: cluster.urls }, async (db) => {
      const sql = "SELECT current_setting('application_name') AS name, current_setting('statement_timeout') AS timeout";
      expect(await db.query(sql)).toEqual([{ name: "shop", timeout: "12345ms" }]);
      const slow = Array.from({ length: 5 }, () => db.query("SELECT pg_sleep(0.2)"));
      const [row] = await cluster
        .primary()
        .query<{ count: number }>("SELECT count(*)::int FROM pg_stat_activity WHERE application_name = 'shop'");
      await Promise.all(slow);
      expect(row?.count).toBeLessThanOrEqual(3 + 1); // the monitor has one of its own
      await expect(db.query("SELECT pg_sleep(60)")).rejects.toMatchObject({ driverError: { code: "DEADLINE" } });
    });
  });

  test("parseInt8 gives numbers for bigint", async () => {
    await using({ parseInt8: true }, pool, async (db) => {
      expect(await db.query("SELECT 5::bigint AS five")).toEqual([{ five: 5 }]);
    });
    await using({ parseInt8: false }, pool, async (db) => {
      expect(await db.query("SELECT 5::bigint AS five")).toEqual([{ five: "5" }]);
    });
  });

  test("logNotifications logs what the server says unasked", async () => {
    const { lines, logger } = keepLog();
    await using({ logNotifications: true, logger }, pool, async (db) => {
      await db.query("DO $$ BEGIN RAISE NOTICE 'hello'; END $$");
      const listener = db.createQueryRunner();
      await listener.query("LISTEN shelf");
      await pool.query("NOTIFY shelf, 'empty'");
      await until("the notification", () => lines.includes("Received NOTIFY on channel shelf: empty."));
      await listener.release();
      expect(lines).toContain("hello");
    });
  });

  test("the options are a plain object without secrets, and a copy of it works as well", async () => {
    const [one] = credentials();
    const options = mirroredPostgres({ type: "postgres", ...one, password: SECRET, logging: ["warn"] });
    expect(JSON.stringify(options)).not.toContain(SECRET);
    expect(options).toMatchObject({ type: "postgres", logging: ["warn"] });
    const copy = { ...mirroredPostgres({ type: "postgres" }, pool), entities: [] };
    const db = await new DataSource(copy).initialize();
    expect(await db.query("SELECT 1 AS one")).toEqual([{ one: 1 }]);
    await db.destroy();
  });
});
