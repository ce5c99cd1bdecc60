import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type BackupReport, backup, restore } from "../src/index.ts";
import { newFolder, openPool, rejection } from "./support.ts";

const MEBIBYTE = 1024 ** 2;
let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 0 });
});
beforeEach(() => cluster.primary().query("DROP SCHEMA public CASCADE; CREATE SCHEMA public AUTHORIZATION app"));
afterAll(() => cluster?.close());

async function job(kind: "backup" | "restore", folder: string): Promise<BackupReport & { readonly maxBytes: number }> {
  const nodes = JSON.stringify(cluster.nodes.map(({ name, url }) => ({ name, url })));
  const script = join(import.meta.dirname, "children/job.ts");
  const args = ["--conditions=mirrorpool-source", script, kind, nodes, folder];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 64 * MEBIBYTE });
  return JSON.parse(/^done (.*)$/m.exec(stdout)?.[1] ?? "null");
}

test("a value of 300 MB passes both ways, in bounded memory", async () => {
  const pool = openPool(cluster);
  await pool.query("CREATE TABLE big (id int, value text)");
  await pool.query("ALTER TABLE big ALTER COLUMN value SET STORAGE EXTERNAL");
  await pool.query("INSERT INTO big VALUES (1, repeat(md5('x'), 9375000)), (2, NULL), (3, '')", [], {
    timeoutMs: 60_000,
  });
  const digest = "SELECT md5(string_agg(md5(value), ',' ORDER BY id)) AS digest, count(*)::int AS count FROM big";
  const before = (await pool.query(digest, [], { timeoutMs: 60_000 })).rows;
  const folder = newFolder();
  const backed = await job("backup", folder);
  expect(backed.bytes).toBeGreaterThan(300_000_000);
  await pool.query("TRUNCATE big");
  const restored = await job("restore", folder);
  expect((await pool.query(digest, [], { timeoutMs: 60_000 })).rows).toEqual(before);
  for (const { maxBytes } of [backed, restored]) expect(maxBytes).toBeLessThan(300 * MEBIBYTE);
}, 240_000);

test("two thousand tables, most of them empty, are backed up and restored", async () => {
  const pool = openPool(cluster);
  for (let start = 0; start < 2000; start += 500)
    await pool.query(
      `DO $$ BEGIN FOR i IN ${start}..${start + 499} LOOP EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY)', i);
         IF i % 100 = 0 THEN EXECUTE format('INSERT INTO t%s VALUES (%s)', i, i); END IF; END LOOP; END $$`,
      [],
      { timeoutMs: 60_000 },
    );
  const folder = newFolder();
  expect(await backup(pool, { to: folder })).toMatchObject({ tables: 2000, rows: 20, chunks: 20 });
  for (let i = 0; i < 2000; i += 100) await pool.query(`TRUNCATE t${i}`);
  expect(await restore(pool, { from: folder })).toMatchObject({ tables: 2000, rows: 20 });
  expect((await pool.query("SELECT id FROM t1900")).rows).toEqual([{ id: 1900 }]);
}, 240_000);

test("an empty database makes an empty backup, and that restores", async () => {
  const folder = newFolder();
  expect(await backup(openPool(cluster), { to: folder })).toMatchObject({ tables: 0, rows: 0, chunks: 0 });
  expect(await restore(openPool(cluster), { from: folder })).toMatchObject({ tables: 0, rows: 0 });
});

test("a table that somebody wants to alter is not waited for behind him, and one that may not be read is named", async () => {
  const pool = openPool(cluster);
  await pool.query("CREATE TABLE item AS SELECT generate_series(1, 10) AS id");
  await cluster.primary().query("CREATE TABLE hidden (id int)");
  const error = await rejection(backup(pool, { to: newFolder() }));
  expect(error).toMatchObject({ code: "REFUSED" });
  expect(String(error)).toContain("hidden");
  await cluster.primary().query("DROP TABLE hidden");
  expect(await backup(pool, { to: newFolder(), tables: ["item"] })).toMatchObject({ rows: 10 });
});

test("rows that a policy hides are not left out in silence", async () => {
  const pool = openPool(cluster);
  await cluster
    .primary()
    .query("CREATE TABLE secret AS SELECT generate_series(1, 10) AS id; GRANT SELECT ON secret TO app");
  await cluster.primary().query("ALTER TABLE secret ENABLE ROW LEVEL SECURITY");
  const error = await rejection(backup(pool, { to: newFolder() }));
  expect(error).toMatchObject({ code: "REFUSED", subject: "public.secret" });
});
