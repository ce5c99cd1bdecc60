import { createPool, type FailoverPool, OptionsError } from "@mirrorpool/core";
import { type KnexPoolSource, mirroredPostgres } from "@mirrorpool/knex";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import knex, { type Knex } from "knex";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPool, rejection, sessions, until } from "./database.ts";

const nodes = ["postgres://app:secret@localhost:1/shop"];

describe("what Knex's configuration says of connections", () => {
  const shared: FailoverPool = createPool({ driver: postgres(), nodes });

  test.each<[string, Knex.Config, KnexPoolSource]>([
    ["connection", { connection: "postgres://app:secret@localhost/shop" }, { nodes }],
    ["connectionPool", { connectionPool: {} as never }, { nodes }],
    ["pool.validate", { pool: { validate: () => true } }, { nodes }],
    ["pool.max", { pool: { max: 0 } }, { nodes }],
    ["pool.maxConnectionLifetimeJitterMillis", { pool: { maxConnectionLifetimeJitterMillis: 10 } }, { nodes }],
    ["searchPath", { searchPath: "one,two" }, { nodes }],
    ["pool.min", { pool: { min: 2 } }, shared],
    ["pool.idleTimeoutMillis", { pool: { idleTimeoutMillis: 1000 } }, shared],
    ["pool.createTimeoutMillis", { pool: { createTimeoutMillis: 1000 } }, shared],
    ["pool.maxConnectionLifetimeMillis", { pool: { maxConnectionLifetimeMillis: 1000 } }, shared],
    ["pool.max", { pool: { max: 10_001 } }, { nodes }],
  ])("is refused where it cannot be kept: %s", async (path, config, source) => {
    const error = await rejection(Promise.resolve().then(() => knex({ client: mirroredPostgres(source), ...config })));
    expect(error).toBeInstanceOf(OptionsError);
    expect(error).toMatchObject({ message: expect.stringContaining(`${path}: expected `) });
    expect(String(error)).not.toContain("secret");
  });

  test("may ask for no connection to be kept, also of a pool that was given", () => {
    knex({ client: mirroredPostgres(shared), pool: { min: 0, max: 5 } });
  });

  test("names the database, where Knex has the nodes", () => {
    const database = (source: KnexPoolSource): unknown => knex({ client: mirroredPostgres(source) }).client.database();
    expect(database({ nodes })).toBe("shop");
    expect(database({ nodes: [{ url: nodes[0] ?? "", database: "other" }] })).toBe("other");
    expect(database(shared)).toBeUndefined();
  });
});

describe("on a cluster", () => {
  let cluster: LabCluster;
  beforeAll(async () => {
    cluster = await createCluster({ mirrors: 1 });
    await cluster.primary().query('CREATE SCHEMA "odd ""name"; GRANT ALL ON SCHEMA "odd ""name" TO app');
    await cluster.caughtUp();
  });
  afterAll(() => cluster?.close());

  test("pool sizes are those of each node's connections", async () => {
    const applicationName = "sized";
    const db = knex({
      client: mirroredPostgres({ nodes: cluster.urls, applicationName, pool: { warm: 0 } }),
      pool: { min: 3, max: 4 },
    });
    try {
      await db.raw("select 1");
      // beside them there is one of the monitor for each node
      await until("the connections to be kept", async () => (await sessions(cluster, applicationName)) >= 6);
    } finally {
      await db.destroy();
    }
    await until("the sessions to end", async () => (await sessions(cluster, applicationName)) === 0);
  });

  test.each(["Knex's own pool", "a pool with a driver of the application", "a pool that was given"])(
    "the search path holds in every session: %s",
    async (whose) => {
      const path = ['odd "name', "public"];
      await using pool = await openPool(cluster);
      const source = {
        "Knex's own pool": { nodes: cluster.urls },
        "a pool with a driver of the application": { nodes: cluster.urls, driver: postgres() },
        "a pool that was given": pool,
      }[whose] as KnexPoolSource;
      const db = knex({ client: mirroredPostgres(source), searchPath: path });
      try {
        for (let run = 0; run < 3; run += 1) {
          const { rows } = await db.raw("select to_json(current_schemas(false)) as schemas");
          expect(rows).toEqual([{ schemas: path }]);
        }
        await db.transaction(async (trx) => {
          const { rows } = await trx.raw("select current_schema() as schema");
          expect(rows).toEqual([{ schema: path[0] }]);
        });
      } finally {
        await db.destroy();
      }
    },
  );

  test("what afterCreate sets holds in every session", async () => {
    const db = knex({
      client: mirroredPostgres({ nodes: cluster.urls }),
      pool: {
        afterCreate: (connection: { query(sql: string, done: (error: unknown) => void): void }, done: () => void) =>
          connection.query("SET TIME ZONE 'Asia/Tokyo'", done),
      },
    });
    try {
      for (let run = 0; run < 3; run += 1) {
        const { rows } = await db.raw("select current_setting('timezone') as zone");
        expect(rows).toEqual([{ zone: "Asia/Tokyo" }]);
      }
    } finally {
      await db.destroy();
    }
  });

  test("a statement waits for its turn no longer than acquireConnectionTimeout, and is told by Knex's own error", async () => {
    const db = knex({
      client: mirroredPostgres({ nodes: cluster.urls }),
      pool: { max: 1 },
      acquireConnectionTimeout: 300,
      log: { warn: () => {} },
    });
    try {
      await db.transaction(async (trx) => {
        await trx.raw("select 1");
        expect(await rejection(db.raw("select 2"))).toBeInstanceOf(knex.KnexTimeoutError);
      });
      expect((await db.raw("select 3 as three")).rows).toEqual([{ three: 3 }]);
    } finally {
      await db.destroy();
    }
  });
});
