import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { createPool, type FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { Meter } from "@mirrorpool/sync/for-other-jobs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { openBackup } from "../src/format/repository.ts";
import { abandonRestore, backup, folderStore, restore, verify } from "../src/index.ts";
import { postgresDialect } from "../src/postgres/dialect.ts";
import { Target } from "../src/target/target.ts";
import { compareRows } from "../src/verify/compare.ts";
import { contents, makeHostile } from "./hostile.ts";
import { makeOwnTables, newFolder, openPool, ownRows, poolOf, rejection } from "./support.ts";

// PostgreSQL with all its programs, pg_dump among them
let source: LabCluster;
let target: LabCluster;

beforeAll(async () => {
  [source, target] = await Promise.all([
    createCluster({ mirrors: 1, system: "system" }),
    createCluster({ mirrors: 0, system: "system" }),
  ]);
  await using pool = createPool(poolOf(source));
  await makeHostile((text) => pool.query(text));
  await makeOwnTables(pool);
  await source.caughtUp();
});
beforeEach(async () => {
  const schemas = await target
    .primary()
    .query<{ name: string }>(
      "SELECT quote_ident(nspname) AS name FROM pg_namespace WHERE nspname !~ '^pg_|^information_schema$'",
    );
  for (const { name } of schemas) await target.primary().query(`DROP SCHEMA ${name} CASCADE`);
  await target
    .primary()
    .query("CREATE SCHEMA public AUTHORIZATION pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC");
  await target.primary().query("COMMENT ON SCHEMA public IS 'standard public schema'");
});
afterAll(async () => {
  await source?.close();
  await target?.close();
});

/** What pg_dump would write of the definitions, without its random word. */
function definitionsOf(cluster: LabCluster, ...options: string[]): string {
  const args = ["--schema-only", ...options, `--dbname=${cluster.primary().adminUrl}`];
  return execFileSync("pg_dump", args, { encoding: "utf8" }).replace(/^\\(un)?restrict .*$/gm, "");
}

test("a database comes back whole: definitions, rows, sequences, keys, views", async () => {
  const folder = newFolder();
  const report = await backup(poolOf(source), { to: folder, chunkBytes: 1024 ** 2, from: "primary" });
  expect(report).toMatchObject({ hasSchema: true, role: "primary", warnings: [], isResumed: false });
  expect(await verify({ from: folder })).toMatchObject({ backup: report.name, rows: report.rows, isRestored: false });
  const restored = await restore(poolOf(target), { from: folder });
  expect(restored).toMatchObject({ rows: report.rows, hasSchema: true, isResumed: false });
  expect(await contents(target.primary())).toEqual(await contents(source.primary()));
  expect(definitionsOf(target)).toBe(definitionsOf(source));
  // the ledger and the checkpoints of jobs come as tables without rows: these mean nothing elsewhere, or later
  expect(await ownRows(openPool(source))).toEqual([1, 1, 1]);
  expect(await ownRows(openPool(target))).toEqual([0, 0, 0]);
  expect(await rejection(restore(poolOf(target), { from: folder }))).toMatchObject({ code: "TARGET_NOT_EMPTY" });
});

test("verify restores a backup from a mirror into a scratch database and compares every row", async () => {
  const folder = newFolder();
  const report = await backup(poolOf(source), { to: folder, encryption: { passphrase: "x" } });
  expect(report).toMatchObject({ hasSchema: true, role: "mirror", warnings: [] });
  const options = { from: folder, encryption: { passphrase: "x" }, into: poolOf(target) };
  expect(await verify(options)).toMatchObject({ isRestored: true, rows: report.rows });
  expect(definitionsOf(target, "--no-owner", "--no-privileges")).toBe(
    definitionsOf(source, "--no-owner", "--no-privileges"),
  );
});

test("rows in binary form come back the same, and are refused where they would be read as something else", async () => {
  const folder = newFolder();
  const report = await backup(poolOf(source), { to: folder, form: "binary", from: "primary" });
  const opened = await openBackup(folderStore(folder), undefined, undefined);
  const formOf = (name: string): string | undefined =>
    opened.manifest.tables.find((table) => table.name === name)?.form;
  // numbers of another database's own objects mean nothing here
  expect([formOf("orders"), formOf("customer"), formOf("types")]).toEqual(["binary", "binary", "text"]);
  expect(await verify({ from: folder })).toMatchObject({ rows: report.rows });
  const pool = openPool(target);
  await restore(pool, { from: folder });
  expect(await contents(target.primary())).toEqual(await contents(source.primary()));
  expect(
    await compareRows(
      postgresDialect,
      new Target(pool, postgresDialect),
      opened,
      2,
      new Meter("verify", undefined),
      undefined,
    ),
  ).toEqual([]);
  await pool.query('ALTER TABLE "no key" ALTER a TYPE real');
  const chosen = { from: folder, tables: ["public.no key"], existing: "replace" } as const;
  expect(await rejection(restore(pool, chosen))).toMatchObject({ code: "TARGET_LACKS", subject: "public.no key" });
  await using newer = await createCluster({ mirrors: 0 });
  expect(await rejection(restore(poolOf(newer), { from: folder }))).toMatchObject({ code: "NOT_SUPPORTED" });
});

test("a comparison finds a single value that is not the same", async () => {
  const folder = newFolder();
  await backup(poolOf(source), { to: folder });
  const pool = openPool(target);
  await restore(pool, { from: folder });
  const opened = await openBackup(folderStore(folder), undefined, undefined);
  const compare = () =>
    compareRows(
      postgresDialect,
      new Target(pool, postgresDialect),
      opened,
      2,
      new Meter("verify", undefined),
      undefined,
    );
  expect(await compare()).toEqual([]);
  await pool.query("UPDATE types SET f8 = f8 WHERE id = 1");
  expect(await compare()).toEqual([]);
  await pool.query("UPDATE types SET i8 = i8 - 1 WHERE id = 1");
  await pool.query('DELETE FROM "no key" WHERE ctid = (SELECT max(ctid) FROM "no key")');
  expect((await compare()).map(({ file }) => file)).toEqual(['"public"."no key"', '"public"."types"']);
});

test("chosen tables go into tables that are there, beside what others hold", async () => {
  const folder = newFolder();
  await backup(poolOf(source), { to: folder });
  const pool: FailoverPool = openPool(target);
  const missing = await rejection(restore(pool, { from: folder, tables: ["sales.*"] }));
  expect(missing).toMatchObject({ code: "TARGET_LACKS", subject: "sales.customer" });
  expect(await rejection(restore(pool, { from: folder, tables: ["nothing.*"] }))).toMatchObject({ code: "NO_TABLES" });
  await restore(pool, { from: folder });
  await pool.query("DELETE FROM sales.customer");
  await pool.query("INSERT INTO sales.customer (name) VALUES ('somebody new')");
  const chosen = { from: folder, tables: ["sales.customer", "sales.orders"] };
  const refused = await rejection(restore(pool, chosen));
  expect(refused).toMatchObject({ code: "TARGET_NOT_EMPTY", subject: "sales.customer" });
  expect(await pool.query("SELECT count(*)::int AS count FROM sales.customer")).toMatchObject({ rows: [{ count: 1 }] });
  expect(await restore(pool, { ...chosen, existing: "replace" })).toMatchObject({ tables: 2, hasSchema: false });
  const [{ sequences: _one, ...before }, { sequences: _other, ...after }] = (await Promise.all(
    [source, target].map((cluster) => contents(cluster.primary())),
  )) as [Record<string, unknown>, Record<string, unknown>];
  expect(after).toEqual(before);
  expect(definitionsOf(target)).toBe(definitionsOf(source));
});

test("rows that break a foreign key are refused at the end, and the restore can be given up", async () => {
  const folder = newFolder();
  await backup(poolOf(source), { to: folder });
  const pool = openPool(target);
  await restore(pool, { from: folder });
  await pool.query("TRUNCATE sales.customer, sales.orders");
  const error = await rejection(restore(pool, { from: folder, tables: ["sales.orders"] }));
  expect(error).toMatchObject({ code: "REFUSED" });
  await abandonRestore(pool);
  expect(await pool.query("SELECT count(*)::int AS count FROM sales.orders")).toMatchObject({ rows: [{ count: 0 }] });
  expect(definitionsOf(target)).toBe(definitionsOf(source));
});

test("without a fitting pg_dump there are rows only, which is said; asked for, it is an error", async () => {
  const folder = newFolder();
  const none = { pgDump: "/nowhere/pg_dump" };
  expect(await rejection(backup(poolOf(source), { to: folder, schema: none }))).toMatchObject({
    code: "SCHEMA_FAILED",
  });
  const report = await backup(openPool(source), { to: folder });
  expect(report.hasSchema).toBe(false);
  expect(report.warnings.join()).toContain("schema.url");
  const url = (name: string): string => source.node(name).url;
  expect(await backup(openPool(source), { to: folder, schema: { url } })).toMatchObject({ hasSchema: true });
  const wrong = source.primary().url.replace("secret", "wr0ng");
  const error = await rejection(backup(openPool(source), { to: folder, schema: { url: wrong } }));
  expect(error).toMatchObject({ code: "SCHEMA_FAILED" });
  expect(String(error)).not.toContain("wr0ng");
  rmSync(folder, { recursive: true });
});

test("unlogged tables are on the primary only, and a backup from a mirror says so", async () => {
  const pool = openPool(source);
  await pool.query("CREATE UNLOGGED TABLE volatile AS SELECT 1 AS a");
  await source.caughtUp();
  const fromMirror = await backup(pool, { to: newFolder(), from: "mirror" });
  expect(fromMirror.warnings.join()).toContain(
    "unlogged tables are on the primary only, and not in this backup: public.volatile",
  );
  const fromPrimary = await backup(pool, { to: newFolder(), from: "primary" });
  expect(fromPrimary.warnings.join()).not.toContain("unlogged");
  expect(fromPrimary.tables).toBe(fromMirror.tables + 1);
  await pool.query("DROP TABLE volatile");
});
