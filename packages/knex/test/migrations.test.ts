import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { promisify } from "node:util";
import type { FailoverPool } from "@mirrorpool/core";
import { mirroredPostgres } from "@mirrorpool/knex";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import knex, { type Knex } from "knex";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPool, rejection } from "./database.ts";

const project = join(import.meta.dirname, "project");
const migrations = { directory: join(project, "migrations"), loadExtensions: [".cjs"] };
const seeds = { directory: join(project, "seeds"), loadExtensions: [".cjs"] };

let cluster: LabCluster;
let pool: FailoverPool;
let db: Knex;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 2 });
});
beforeEach(async () => {
  await cluster.primary().query("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION app");
  await cluster.caughtUp();
  pool = await openPool(cluster);
  db = knex({ client: mirroredPostgres(pool), migrations, seeds, log: { warn: () => {} } });
});
afterEach(async () => {
  for (const mirror of cluster.mirrors()) await mirror.lag(false);
  await db.destroy();
  await pool.close();
});
afterAll(() => cluster?.close());

const lag = (): Promise<unknown> => Promise.all(cluster.mirrors().map((mirror) => mirror.lag(true)));
const notes = (): Promise<unknown> => cluster.primary().query("SELECT body FROM note ORDER BY body");

describe("on mirrors that lag", () => {
  beforeEach(lag);

  test("migrations run once, are listed, and are rolled back", async () => {
    expect((await db.migrate.latest())[1]).toEqual(["1-note.cjs", "2-author.cjs"]);
    expect((await db.migrate.latest())[1]).toEqual([]);
    expect(await db.migrate.currentVersion()).toBe("2-author.cjs");
    const [completed, pending] = await db.migrate.list();
    expect([completed.length, pending.length]).toEqual([2, 0]);
    expect(await notes()).toEqual([{ body: "from a migration" }]);
    expect((await db.migrate.down())[1]).toEqual(["2-author.cjs"]);
    expect((await db.migrate.up())[1]).toEqual(["2-author.cjs"]);
    await db.migrate.rollback(undefined, true);
    expect(await db.schema.hasTable("note")).toBe(false);
  });

  test("of those who migrate at the same time one does, and the others are told of the lock", async () => {
    await db.migrate.latest();
    await db.migrate.rollback(undefined, true);
    const runs = await Promise.allSettled([db.migrate.latest(), db.migrate.latest(), db.migrate.latest()]);
    expect(runs.some(({ status }) => status === "fulfilled")).toBe(true);
    expect(await notes()).toEqual([{ body: "from a migration" }]);
    expect(await db("knex_migrations_lock").select("is_locked")).toEqual([{ is_locked: 0 }]);
  });

  test("a lock that was left behind is seen, and may be removed", async () => {
    await db.migrate.latest();
    await db("knex_migrations_lock").update({ is_locked: 1 });
    expect(String(await rejection(db.migrate.rollback()))).toContain("already locked");
    await db.migrate.forceFreeMigrationsLock();
    await db.migrate.rollback();
    expect(await db.schema.hasTable("note")).toBe(false);
  });

  test("seeds run", async () => {
    await db.migrate.latest();
    await db.seed.run();
    expect(await notes()).toEqual([{ body: "one" }, { body: "two" }]);
  });

  test("a migration in the middle of which the primary is killed is there whole, once", async () => {
    for (const mirror of cluster.mirrors()) await mirror.lag(false);
    const source: Knex.MigrationSource<string> = {
      getMigrations: async () => ["1-long"],
      getMigrationName: (name) => name,
      getMigration: async () => ({
        up: async (trx) => {
          await trx.schema.createTable("long", (table) => table.integer("id"));
          await cluster.caughtUp();
          await cluster.primary().kill();
          await cluster.promote(await cluster.mostAdvancedMirror());
          await trx("long").insert({ id: 1 });
        },
        down: (trx) => trx.schema.dropTable("long"),
      }),
    };
    await db.migrate.latest({ migrationSource: source });
    expect(await cluster.primary().query('SELECT id FROM "long"')).toEqual([{ id: 1 }]);
    expect((await db.migrate.latest({ migrationSource: source }))[1]).toEqual([]);
    for (const node of cluster.nodes) if (!node.isRunning) await cluster.rejoin(node);
  });
});

test.each(["knexfile.cjs", "knexfile.mjs"])("Knex's command line takes a configuration: %s", async (file) => {
  const cli = createRequire(import.meta.url).resolve("knex/bin/cli.js");
  const run = async (...words: string[]): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--conditions=mirrorpool-source", cli, ...words, "--knexfile", join(project, file)],
      { env: { ...process.env, NODES: cluster.urls.join(" ") }, timeout: 30_000 },
    );
    return stdout;
  };
  expect(await run("migrate:latest")).toContain("2 migrations");
  expect(await run("migrate:latest")).toContain("Already up to date");
  expect(await run("seed:run")).toContain("1 seed files");
  expect(await notes()).toEqual([{ body: "one" }, { body: "two" }]);
  expect(await run("migrate:rollback")).toContain("2 migrations");
});
