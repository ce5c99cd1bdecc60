import type { FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { mirroredPostgres, type PostgresOptions } from "@mirrorpool/typeorm";
import type { DataSource, MigrationInterface, QueryRunner } from "typeorm";
import { EntitySchema } from "typeorm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { mirrorsSeen, type Note, notes, poolOnLaggingMirrors, versions } from "./support.ts";

let cluster: LabCluster;
let pool: FailoverPool;
const open: DataSource[] = [];

/** The mirror does not get what comes after this. */
const lag = async (): Promise<void> => {
  await cluster.caughtUp();
  for (const mirror of cluster.mirrors()) await mirror.lag(true);
};

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
});
beforeEach(async () => {
  pool = poolOnLaggingMirrors(cluster);
  await mirrorsSeen(pool, 1);
  await pool.query("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  await pool.query("CREATE TABLE note (id int PRIMARY KEY, body text NOT NULL); INSERT INTO note VALUES (1, 'old')");
});
afterEach(async () => {
  for (const db of open.splice(0)) if (db.isInitialized) await db.destroy();
  await pool.close();
  for (const mirror of cluster.mirrors()) await mirror.lag(false);
});
afterAll(() => cluster?.close());

describe.each(versions)("%s on mirrors that lag", (_, { DataSource }) => {
  const openWith = async (own: Partial<PostgresOptions> = {}): Promise<DataSource> => {
    const db = new DataSource(mirroredPostgres({ type: "postgres", entities: [notes], ...own }, pool));
    open.push(db);
    return db.initialize();
  };
  const onPrimary = (sql: string): Promise<readonly unknown[]> => cluster.primary().query(sql);

  test("save() updates the row that a mirror does not have yet: it looks for it on the primary", async () => {
    const db = await openWith();
    await lag();
    await onPrimary("INSERT INTO note VALUES (2, 'new')");
    expect(await db.getRepository(notes).findOneBy({ id: 2 })).toBeNull();
    await db.getRepository(notes).save({ id: 2, body: "saved" });
    expect(await onPrimary("SELECT * FROM note WHERE id = 2")).toEqual([{ id: 2, body: "saved" }]);
  });

  test("save() writes what has changed since the mirror, and remove() removes it", async () => {
    const db = await openWith();
    await lag();
    await onPrimary("UPDATE note SET body = 'changed' WHERE id = 1");
    const read = await db.getRepository(notes).findOneByOrFail({ id: 1 });
    expect(read.body).toBe("old");
    await db.getRepository(notes).save(read); // back to what was read: no change for whoever compares with a mirror
    expect(await onPrimary("SELECT body FROM note")).toEqual([{ body: "old" }]);
    await db.getRepository(notes).remove(read);
    expect(await onPrimary("SELECT body FROM note")).toEqual([]);
  });

  test("a runner of the master reads from the primary from its first statement on, one of the slaves from a mirror", async () => {
    const db = await openWith();
    await lag();
    await onPrimary("UPDATE note SET body = 'new'");
    const [master, slave] = [db.createQueryRunner("master"), db.createQueryRunner("slave")];
    try {
      expect(await master.query("SELECT body FROM note")).toEqual([{ body: "new" }]);
      expect(await slave.query("SELECT body FROM note")).toEqual([{ body: "old" }]);
      expect(await db.createQueryBuilder(notes, "n", master).getMany()).toEqual([{ id: 1, body: "new" }]);
      expect(await db.createQueryBuilder(notes, "n", slave).getMany()).toEqual([{ id: 1, body: "old" }]);
      await slave.query("INSERT INTO note VALUES (3, 'by a runner of the slaves')");
      expect(await slave.query("SELECT id FROM note ORDER BY id")).toEqual([{ id: 1 }, { id: 3 }]);
    } finally {
      await Promise.all([master.release(), slave.release()]);
    }
    expect(await db.query("SELECT body FROM note WHERE id = 1")).toEqual([{ body: "new" }]);
    expect(pool.stats().misrouted).toBe(0);
  });

  test("with defaultMode: master everything is read from the primary", async () => {
    const db = await openWith({ replication: { master: {}, slaves: [], defaultMode: "master" } });
    await lag();
    await onPrimary("UPDATE note SET body = 'new'");
    expect(await db.getRepository(notes).findOneBy({ id: 1 })).toEqual({ id: 1, body: "new" });
  });

  test("a stream of a master's runner is the primary's", async () => {
    const db = await openWith();
    await lag();
    await onPrimary("UPDATE note SET body = 'new'");
    for (const [mode, body] of [
      ["master", "new"],
      ["slave", "old"],
    ] as const) {
      const runner = db.createQueryRunner(mode);
      const rows: unknown[] = [];
      for await (const row of await runner.stream("SELECT body FROM note")) rows.push(row);
      await runner.release();
      expect(rows).toEqual([{ body }]);
    }
  });

  test("pessimistic locks are taken on the primary, and hold others off", async () => {
    const db = await openWith();
    await lag();
    await onPrimary("UPDATE note SET body = 'new'");
    const where = { id: 1 };
    await expect(db.manager.findOne(notes, { where, lock: { mode: "pessimistic_write" } })).rejects.toThrow(
      /transaction/i,
    );
    await db.transaction(async (first) => {
      expect(await first.findOne(notes, { where, lock: { mode: "pessimistic_write" } })).toEqual({
        id: 1,
        body: "new",
      });
      const second = db.transaction((other) =>
        other.findOne(notes, { where, lock: { mode: "pessimistic_read", onLocked: "nowait" } }),
      );
      await expect(second).rejects.toMatchObject({ driverError: { code: "55P03" } });
    });
  });

  test("nested transactions of a runner are savepoints, on one connection to the primary", async () => {
    const db = await openWith();
    await lag();
    const runner = db.createQueryRunner();
    await runner.startTransaction("SERIALIZABLE");
    await runner.manager.save(notes, { id: 10, body: "outer" });
    await runner.startTransaction();
    await runner.manager.save(notes, { id: 11, body: "inner" });
    await runner.rollbackTransaction();
    expect(await runner.query("SHOW transaction_isolation")).toEqual([{ transaction_isolation: "serializable" }]);
    expect(await runner.manager.find(notes, { order: { id: "ASC" } })).toHaveLength(2);
    await runner.commitTransaction();
    await runner.release();
    expect(await onPrimary("SELECT id FROM note ORDER BY id")).toEqual([{ id: 1 }, { id: 10 }]);
  });

  test("the schema is synchronized with the primary's, also twice, and dropped", async () => {
    const more = new EntitySchema<Note & { at: Date | null }>({
      name: "note",
      columns: {
        id: { type: "int", primary: true },
        body: { type: "text" },
        at: { type: "timestamptz", nullable: true, default: () => "now()" },
      },
      indices: [{ columns: ["body"] }],
    });
    await openWith({ synchronize: true, dropSchema: true });
    await lag();
    for (let run = 0; run < 2; run += 1) {
      const db = await openWith({ entities: [more], synchronize: true });
      await db.getRepository(more).save({ id: run, body: "in the new table" });
      expect((await db.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
    }
    expect(await onPrimary("SELECT count(at)::int FROM note")).toEqual([{ count: 2 }]);
  });

  test.each(["all", "each", "none"] as const)("migrations run once in the mode %s, and are undone", async (mode) => {
    const migrations = [
      migration("First1700000000001", "CREATE TABLE shelf (id int)", "DROP TABLE shelf"),
      migration("Second1700000000002", "ALTER TABLE shelf ADD label text", "ALTER TABLE shelf DROP label"),
    ];
    await lag();
    for (const expected of [2, 0]) {
      const db = await openWith({ migrations });
      expect(await db.runMigrations({ transaction: mode })).toHaveLength(expected);
      expect(await db.showMigrations()).toBe(false);
    }
    const db = await openWith({ migrations });
    await db.undoLastMigration({ transaction: mode });
    expect(await db.showMigrations()).toBe(true);
    expect(await onPrimary("SELECT * FROM shelf")).toEqual([]);
    expect(await onPrimary("SELECT name FROM migrations")).toEqual([{ name: "First1700000000001" }]);
  });

  test("what the query cache keeps is written to the primary", async () => {
    const db = await openWith({ synchronize: true, cache: { duration: 60_000 } });
    await lag();
    const read = (): Promise<Note[]> => db.getRepository(notes).find({ cache: { id: "all", milliseconds: 60_000 } });
    expect(await read()).toEqual([{ id: 1, body: "old" }]);
    expect(await onPrimary(`SELECT identifier FROM "query-result-cache"`)).toEqual([{ identifier: "all" }]);
    expect(await read()).toEqual([{ id: 1, body: "old" }]);
  });
});

function migration(name: string, up: string, down: string): new () => MigrationInterface {
  return class {
    readonly name = name;
    up = (runner: QueryRunner): Promise<unknown> => runner.query(up);
    down = (runner: QueryRunner): Promise<unknown> => runner.query(down);
  };
}
