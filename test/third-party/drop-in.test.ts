import { promisify } from "node:util";
import type { FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { createDropIn, Pool } from "@mirrorpool/pg";
import connectPgSimple from "connect-pg-simple";
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable, text } from "drizzle-orm/pg-core";
import session from "express-session";
import { Logger, run } from "graphile-worker";
import type pg from "pg";
import PgBoss from "pg-boss";
import { DataTypes, Sequelize, UniqueConstraintError } from "sequelize";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { mend, promoteMirror } from "../failover/support/cluster.ts";
import { openPool, underWay } from "../failover/support/pool.ts";
import { until } from "../failover/support/until.ts";

let cluster: LabCluster;
let core: FailoverPool;
let pool: pg.Pool;
const poolErrors: unknown[] = [];

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 2 });
});
afterAll(() => cluster?.close());

beforeEach(async () => {
  core = openPool(cluster, { replay: {} });
  await core.start();
  pool = new Pool({ mirrorpool: core });
  poolErrors.length = 0;
  pool.on("error", (error) => poolErrors.push(error));
  return async () => {
    try {
      await pool.end();
      await until("the last lease to end", () => underWay(core) === 0);
      expect(poolErrors).toEqual([]);
    } finally {
      await core.close();
      await mend(cluster);
    }
  };
});

async function failOver(): Promise<void> {
  await cluster.caughtUp();
  await cluster.primary().kill();
  await promoteMirror(cluster);
}

test("Drizzle: queries and transactions go on after a failover", async () => {
  const product = pgTable("product", { id: integer().primaryKey(), name: text().notNull() });
  const db = drizzle(pool);
  await db.execute(sql`CREATE TABLE product (id int PRIMARY KEY, name text NOT NULL)`);
  await db.insert(product).values({ id: 1, name: "one" });
  await failOver();
  await db.transaction(async (tx) => {
    await tx.insert(product).values({ id: 2, name: "two" });
    expect(await tx.select().from(product).where(eq(product.id, 2))).toEqual([{ id: 2, name: "two" }]);
    await tx.transaction(async (inner) => inner.rollback()).catch(() => {});
  });
  expect(await db.select().from(product).orderBy(product.id)).toEqual([
    { id: 1, name: "one" },
    { id: 2, name: "two" },
  ]);
  await db.transaction(async (tx) => {
    await tx.insert(product).values({ id: 3, name: "three" });
    await failOver(); // in the middle: the transaction is run again
    await tx.update(product).set({ name: "III" }).where(eq(product.id, 3));
  });
  expect(await db.select().from(product).where(eq(product.id, 3))).toEqual([{ id: 3, name: "III" }]);
  expect(core.stats().replays).toBe(1);
});

test("connect-pg-simple: sessions of web users survive a failover", async () => {
  const Store = connectPgSimple(session);
  const store = new Store({ pool, createTableIfMissing: true, pruneSessionInterval: false });
  const set = promisify(store.set.bind(store));
  const get = promisify(store.get.bind(store));
  await set("alice", { cookie: { maxAge: 60_000 }, cart: [1] });
  await failOver();
  expect(await get("alice")).toMatchObject({ cart: [1] });
  await set("bob", { cookie: { maxAge: 60_000 }, cart: [2] });
  expect(await get("bob")).toMatchObject({ cart: [2] });
  await store.close();
});

test("pg-boss: jobs are queued and fetched before and after a failover", async () => {
  const boss = new PgBoss({ db: { executeSql: (text, values) => pool.query(text, values) } });
  boss.on("error", (error) => poolErrors.push(error));
  await boss.start();
  await boss.createQueue("mail");
  const first = await boss.send("mail", { to: "alice" });
  await failOver();
  const second = await boss.send("mail", { to: "bob" });
  const jobs = await boss.fetch("mail", { batchSize: 10 });
  expect(jobs.map(({ id }) => id).sort()).toEqual([first, second].sort());
  await boss.complete(
    "mail",
    jobs.map(({ id }) => id),
  );
  await boss.stop({ graceful: false, wait: true });
});

test("graphile-worker: it listens again on the new primary, and runs what was queued on both sides of a failover", async () => {
  const done: unknown[] = [];
  const runner = await run({
    pgPool: pool,
    concurrency: 2,
    pollInterval: 1000,
    noHandleSignals: true,
    logger: new Logger(() => () => {}),
    taskList: { note: async (payload) => void done.push(payload) },
  });
  await runner.addJob("note", { n: 1 });
  await until("the first job", () => done.length === 1);
  await failOver();
  await runner.addJob("note", { n: 2 });
  await until("the second job", () => done.length === 2, 40_000);
  await runner.stop();
  expect(done).toEqual([{ n: 1 }, { n: 2 }]);
});

test("Sequelize: its models go on after a failover, with clients that it pools itself", async () => {
  const sequelize = new Sequelize("app", "app", "of no use", {
    dialect: "postgres",
    dialectModule: createDropIn({ mirrorpool: core }),
    logging: false,
  });
  await sequelize.authenticate();
  const Animal = sequelize.define("animal", { name: { type: DataTypes.STRING, unique: true } }, { timestamps: false });
  await Animal.sync();
  await Animal.create({ name: "cat" });
  await failOver();
  await Animal.create({ name: "dog" });
  expect(await Animal.count()).toBe(2);
  await expect(Animal.create({ name: "dog" })).rejects.toBeInstanceOf(UniqueConstraintError);
  await sequelize.transaction(async (transaction) => {
    await Animal.update({ name: "hound" }, { where: { name: "dog" }, transaction });
  });
  expect(await Animal.findOne({ where: { name: "hound" }, raw: true })).toMatchObject({ name: "hound" });
  await sequelize.close();
});
