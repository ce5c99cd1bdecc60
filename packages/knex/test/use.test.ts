import type { FailoverPool } from "@mirrorpool/core";
import { AcquireTimeoutError } from "@mirrorpool/core";
import { mirroredPostgres } from "@mirrorpool/knex";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import knex, { type Knex } from "knex";
import { Model } from "objection";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { inUse, openPool, rejection, running, sessions, until } from "./database.ts";

const ROWS = 5_000;

let cluster: LabCluster;
let pool: FailoverPool;
let db: Knex;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 2 });
});
beforeEach(async () => {
  pool = await openPool(cluster, { pool: { max: 4 } });
  db = knex({ client: mirroredPostgres(pool), pool: { max: 4 }, log: { warn: () => {} } });
  await db.schema.dropTableIfExists("note");
  await db.schema.createTable("note", (table) => {
    table.integer("id").primary();
    table.text("body");
  });
});
afterEach(async () => {
  await db.destroy();
  await pool.close();
});
afterAll(() => cluster?.close());

const atRest = (): Promise<void> => until("no connection to be in use", () => inUse(pool) === 0);

describe("a timeout", () => {
  test.each([true, false])("ends the statement on its server, and Knex says so: cancel %s", async (cancel) => {
    const slow = cancel
      ? db.raw("select pg_sleep(60), 'given up'").timeout(200, { cancel: true })
      : db.raw("select pg_sleep(60), 'given up'").timeout(200);
    const error = await rejection(slow);
    expect(error).toBeInstanceOf(knex.KnexTimeoutError);
    expect(String(error)).toContain("Defined query timeout of 200ms exceeded");
    await until("the statement to end", async () => (await running(cluster, "given up")) === 0);
    await atRest();
  });

  test("in a transaction leaves it to be rolled back", async () => {
    const failed = db.transaction(async (trx) => {
      await trx("note").insert({ id: 1, body: "undone" });
      await trx.raw("select pg_sleep(60)").timeout(200, { cancel: true });
    });
    expect(await rejection(failed)).toBeInstanceOf(knex.KnexTimeoutError);
    expect(await db("note")).toEqual([]);
    await atRest();
  });

  test("hits nobody else's statement", async () => {
    const others = [1, 2, 3].map((n) => db.raw("select pg_sleep(1), ?::int as n", [n]));
    await rejection(db.raw("select pg_sleep(60)").timeout(300, { cancel: true }));
    const answers = await Promise.all(others);
    expect(answers.map(({ rows }) => rows[0].n)).toEqual([1, 2, 3]);
  });
});

describe("a stream", () => {
  beforeEach(() => db.raw("insert into note select n, repeat('x', 200) from generate_series(1, ?) as n", [ROWS]));

  test("that is left early gives its connection back once, and nobody else's, whoever waits for one", async () => {
    const single = knex({ client: mirroredPostgres(pool), pool: { max: 1 } });
    let active = 0;
    const alone = (): Promise<void> =>
      single.transaction(async (trx) => {
        active += 1;
        expect(active).toBe(1);
        await trx.raw("select pg_sleep(0.01)");
        active -= 1;
      });
    for (let run = 0; run < 10; run += 1) {
      const others: Promise<void>[] = [];
      for await (const { id } of single("note").orderBy("id").stream()) {
        if (id === 1) others.push(alone(), alone(), alone());
        if (id > run * 100) break;
      }
      await Promise.all(others);
    }
    await atRest();
    await until("Knex to have all back", () => single.client.pool.numUsed() === 0);
    await single.destroy();
  });

  test("that ends, fails or is never read gives its connection back", async () => {
    let seen = 0;
    for await (const _ of db("note").stream()) seen += 1;
    expect(seen).toBe(ROWS);
    const failing = async (): Promise<void> => {
      for await (const _ of db("no_such_table").stream());
    };
    expect(await rejection(failing())).toMatchObject({ code: "42P01" });
    db("note").stream().destroy();
    await atRest();
    await until("Knex to have all back", () => db.client.pool.numUsed() === 0);
  });

  test("in a transaction leaves its connection to it", async () => {
    await db.transaction(async (trx) => {
      for await (const { id } of trx("note").orderBy("id").stream()) if (id === 10) break;
      await trx("note").insert({ id: -1, body: "after the stream" });
    });
    expect(await db("note").where({ id: -1 }).first("body")).toEqual({ body: "after the stream" });
  });

  test("may be closed after knex.destroy()", async () => {
    const stream = db("note").stream();
    await new Promise((resolve) => stream.once("data", resolve));
    const destroyed = db.destroy();
    stream.destroy();
    await destroyed;
  });
});

describe("transactions", () => {
  test("nest, and keep to the connection, three levels deep", async () => {
    await db.transaction(async (one) => {
      await one("note").insert({ id: 1, body: "kept" });
      await one.transaction(async (two) => {
        await two("note").insert({ id: 2, body: "kept" });
        const failed = two.transaction(async (three) => {
          await three("note").insert({ id: 3, body: "undone" });
          throw new Error("changed my mind");
        });
        expect(String(await rejection(failed))).toContain("changed my mind");
        expect(inUse(pool)).toBe(1);
      });
    });
    expect(await db("note").orderBy("id").pluck("id")).toEqual([1, 2]);
  });

  test("may be ended by hand, or by a provider", async () => {
    const trx = await db.transaction();
    await trx("note").insert({ id: 1, body: "undone" });
    await trx.rollback();
    const provider = db.transactionProvider();
    await (await provider())("note").insert({ id: 2, body: "kept" });
    await (await provider()).commit();
    expect(await db("note").pluck("id")).toEqual([2]);
  });

  test("have the isolation that they ask for", async () => {
    const { rows } = await db.transaction(
      (trx) => trx.raw("select current_setting('transaction_isolation') as level").then(),
      { isolationLevel: "serializable" },
    );
    expect(rows).toEqual([{ level: "serializable" }]);
  });
});

test("a connection taken by hand is one session until it is given back", async () => {
  const connection = await db.client.acquireConnection();
  await db.raw("set application_name = 'by hand'").connection(connection);
  const { rows } = await connection.query("select current_setting('application_name') as name");
  expect(rows).toEqual([{ name: "by hand" }]);
  await db.client.releaseConnection(connection);
  expect((await db.raw("select current_setting('application_name') as name")).rows).toEqual([{ name: "mirrorpool" }]);
});

test("whoever finds all connections of a shared pool in use is told by the pool's own error", async () => {
  await using small = await openPool(cluster, { pool: { max: 1 }, timeouts: { acquireMs: 2000 } });
  const second = knex({ client: mirroredPostgres(small) });
  await using held = await small.connect();
  await held.query("BEGIN");
  expect(await rejection(second("note").insert({ id: 1, body: "refused" }))).toBeInstanceOf(AcquireTimeoutError);
  await held.query("ROLLBACK");
  await second.destroy();
  expect(await db("note")).toEqual([]);
});

test("a pool that was given serves others beside Knex, and after it", async () => {
  await using other = await pool.connect();
  await db("note").insert({ id: 1, body: "from Knex" });
  expect((await other.query("SELECT body FROM note")).rows).toEqual([{ body: "from Knex" }]);
  const second = knex({ client: mirroredPostgres(pool) });
  expect(await second("note").pluck("id")).toEqual([1]);
  await second.destroy();
  expect(await db("note").pluck("id")).toEqual([1]);
});

test("knex.destroy() leaves no session of its own pool on any server; knex.initialize() begins anew", async () => {
  const applicationName = "its own";
  const own = knex({ client: mirroredPostgres({ nodes: cluster.urls, applicationName }) });
  expect((await own.raw("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await own.destroy();
  await until("the sessions to end", async () => (await sessions(cluster, applicationName)) === 0);
  expect(String(await rejection(own.raw("select 1")))).toContain("Unable to acquire a connection");
  own.initialize();
  expect((await own.raw("select 2 as two")).rows).toEqual([{ two: 2 }]);
  await new Promise<void>((resolve, reject) => own.destroy((error: unknown) => (error ? reject(error) : resolve())));
  await until("the sessions to end", async () => (await sessions(cluster, applicationName)) === 0);
});

test("Objection works on top of it, and goes on after a failover in the middle of a transaction", async () => {
  class Note extends Model {
    static override tableName = "note";
    declare id: number;
    declare body: string;
  }
  const Notes = Note.bindKnex(db);
  await Notes.query().insert({ id: 1, body: "before" });
  expect(await Notes.query().findById(1)).toMatchObject({ body: "before" });
  await cluster.caughtUp();
  await Notes.transaction(async (trx) => {
    await Notes.query(trx).findById(1).patch({ body: "during" });
    await cluster.primary().kill();
    await cluster.promote(await cluster.mostAdvancedMirror());
    await Notes.query(trx).insertGraph([
      { id: 2, body: "after" },
      { id: 3, body: "after" },
    ]);
  });
  expect(await Notes.query().orderBy("id")).toMatchObject([{ body: "during" }, { body: "after" }, { body: "after" }]);
  expect(pool.stats().replays).toBe(1);
});
