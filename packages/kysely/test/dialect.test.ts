import { createPool, type FailoverPool, OptionsError } from "@mirrorpool/core";
import { mirroredPostgres } from "@mirrorpool/kysely";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { isAbortedTransactionError, Kysely, type LogEvent, sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

interface Database {
  readonly note: { id: number; body: string };
}

let cluster: LabCluster;
let pool: FailoverPool;
let db: Kysely<Database>;
let log: string[];

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
});
beforeEach(async () => {
  pool = createPool({ driver: postgres(), nodes: cluster.urls, pool: { max: 2 } });
  log = [];
  const note = ({ query }: LogEvent): void => void log.push(query.sql);
  db = new Kysely<Database>({ dialect: mirroredPostgres(pool), log: note });
  await db.schema.dropTable("note").ifExists().execute();
  await db.schema.createTable("note").addColumn("id", "integer").addColumn("body", "text").execute();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await db.destroy();
  await pool.close();
});
afterAll(() => cluster?.close());

/** How many statements with this text run on any node. */
async function running(marker: string): Promise<number> {
  const counts = cluster.nodes.map((node) =>
    node.query(
      "SELECT FROM pg_stat_activity WHERE state = 'active' AND usename = 'app' AND position($1 in query) > 0",
      [marker],
    ),
  );
  return (await Promise.all(counts)).flat().length;
}

test("the numbers of changed rows are Kysely's", async () => {
  const values = [1, 2, 3].map((id) => ({ id, body: "x" }));
  expect(await db.insertInto("note").values(values).executeTakeFirst()).toMatchObject({
    numInsertedOrUpdatedRows: 3n,
  });
  expect(await db.updateTable("note").set({ body: "y" }).where("id", "<", 3).executeTakeFirst()).toMatchObject({
    numUpdatedRows: 2n,
  });
  expect(await db.deleteFrom("note").where("id", "=", 9).executeTakeFirst()).toMatchObject({ numDeletedRows: 0n });
});

test("isolation level and access mode are the transaction's", async () => {
  const modes = await db
    .transaction()
    .setIsolationLevel("serializable")
    .setAccessMode("read only")
    .execute((trx) =>
      sql<Record<string, string>>`
        SELECT current_setting('transaction_isolation') AS isolation, current_setting('transaction_read_only') AS read_only
      `.execute(trx),
    );
  expect(modes.rows).toEqual([{ isolation: "serializable", read_only: "on" }]);
});

test("a transaction that the database has rolled back is aborted in Kysely's own sense, and no ROLLBACK follows", async () => {
  const swallowing = db.transaction().execute(async (trx) => {
    await sql`SELECT 1/0`.execute(trx).catch(() => {});
  });
  const error = await swallowing.catch((reason: unknown) => reason);
  expect(isAbortedTransactionError(error)).toBe(true);
  expect(error).toMatchObject({ code: "TRANSACTION_ABORTED" });
  const controlled = await db.startTransaction().execute();
  await sql`SELECT 1/0`.execute(controlled).catch(() => {});
  await expect(controlled.commit().execute()).rejects.toSatisfy(isAbortedTransactionError);
  expect(controlled.isRolledBack).toBe(true);
  expect(log.filter((each) => each === "rollback")).toEqual([]);
});

test("a controlled transaction has savepoints, whatever their names", async () => {
  const trx = await db.startTransaction().execute();
  await trx.insertInto("note").values({ id: 1, body: "kept" }).execute();
  const inner = await trx.savepoint('a "quoted" name').execute();
  await inner.insertInto("note").values({ id: 2, body: "undone" }).execute();
  const back = await inner.rollbackToSavepoint('a "quoted" name').execute();
  await (await back.releaseSavepoint('a "quoted" name').execute()).commit().execute();
  expect(await db.selectFrom("note").select("id").execute()).toEqual([{ id: 1 }]);
});

test("a connection of its own keeps its session's state", async () => {
  await db.connection().execute(async (own) => {
    await sql`CREATE TEMP TABLE scratch (id int)`.execute(own);
    await sql`INSERT INTO scratch VALUES (1)`.execute(own);
    expect((await sql`SELECT id FROM scratch`.execute(own)).rows).toEqual([{ id: 1 }]);
  });
  await expect(sql`SELECT id FROM scratch`.execute(db)).rejects.toMatchObject({ code: "42P01" });
});

test.each(["cancel query", "kill session"] as const)(
  "with `%s` an abort ends the statement on its server, and no other",
  async (inflightQueryAbortStrategy) => {
    const complaints = vi.spyOn(console, "error").mockImplementation(() => {});
    const bystander = sql`SELECT 1 AS one, pg_sleep(1)::text AS bystander`.execute(db);
    const abort = new AbortController();
    const query = sql`SELECT pg_sleep(60)::text AS to_abort`.execute(db, {
      signal: abort.signal,
      inflightQueryAbortStrategy,
    });
    await vi.waitFor(async () => expect(await running("to_abort")).toBe(1), { timeout: 20_000 });
    abort.abort(new Error("changed my mind"));
    await expect(query).rejects.toThrow("changed my mind");
    await vi.waitFor(async () => expect(await running("to_abort")).toBe(0), { timeout: 20_000 });
    expect((await bystander).rows).toMatchObject([{ one: 1 }]);
    await vi.waitFor(() => expect(complaints).toHaveBeenCalledOnce(), { timeout: 20_000 }); // Kysely's own report
  },
);

test("with `ignore query`, Kysely's default, an aborted statement goes on", async () => {
  const abort = new AbortController();
  const query = sql`INSERT INTO note SELECT 7, 'went on' FROM pg_sleep(1)`.execute(db, { signal: abort.signal });
  await vi.waitFor(async () => expect(await running("went on")).toBe(1), { timeout: 20_000 });
  abort.abort();
  await expect(query).rejects.toMatchObject({ name: "AbortError" });
  await vi.waitFor(async () => expect(await db.selectFrom("note").select("id").execute()).toEqual([{ id: 7 }]), {
    timeout: 20_000,
  });
});

test("a stream without the class for it says which option is missing", async () => {
  const rows = async (): Promise<void> => {
    for await (const _ of db.selectFrom("note").selectAll().stream());
  };
  await expect(rows()).rejects.toThrow("{ cursor: Cursor }");
});

test("options that are wrong are refused where Kysely is made", () => {
  const dialect = mirroredPostgres({ driver: postgres(), nodes: [] });
  expect(() => new Kysely<Database>({ dialect })).toThrow(OptionsError);
});
