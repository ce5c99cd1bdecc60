import { inspect } from "node:util";
import { createPool, OptionsError } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { Meter } from "@mirrorpool/sync/for-other-jobs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dialectOf } from "../../src/dialects.ts";
import { openBackup } from "../../src/format/repository.ts";
import { abandonRestore, backup, folderStore, restore, verify } from "../../src/index.ts";
import { Target } from "../../src/target/target.ts";
import { compareRows } from "../../src/verify/compare.ts";
import { makeOwnTables, newFolder, ownRows, rejection } from "../support.ts";
import { hostile } from "./hostile.ts";
import { clear, contents, definitions, KINDS, openPool, poolOf, run, startCluster } from "./support.ts";

describe.each(KINDS)("%s", (kind) => {
  let source: LabCluster;
  let target: LabCluster;

  beforeAll(async () => {
    [source, target] = await Promise.all([startCluster(kind, 1), startCluster(kind, 0)]);
    await run(source, ...hostile(kind));
    await using pool = createPool(poolOf(source));
    await makeOwnTables(pool);
    await source.caughtUp();
  });
  beforeEach(() => clear(target));
  afterAll(() => Promise.all([source?.close(), target?.close()]));

  test("a database comes back whole from a mirror: tables, rows, counters, indexes, views, routines, triggers, events", async () => {
    const folder = newFolder();
    const report = await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2 });
    expect(report).toMatchObject({ hasSchema: true, role: "mirror", isResumed: false });
    expect(report.warnings).toEqual([expect.stringContaining("1 tables have no transactions")]);
    expect(await verify({ from: folder })).toMatchObject({ backup: report.name, rows: report.rows, isRestored: false });
    const restored = await restore(poolOf(target), { from: folder });
    expect(restored).toMatchObject({ rows: report.rows, hasSchema: true, isResumed: false });
    expect(await contents(target)).toEqual(await contents(source));
    expect(await definitions(target)).toEqual(await definitions(source));
    expect(await ownRows(openPool(source))).toEqual([1, 1, 1]);
    expect(await ownRows(openPool(target))).toEqual([0, 0, 0]);
    expect(await rejection(restore(poolOf(target), { from: folder }))).toMatchObject({ code: "TARGET_NOT_EMPTY" });
  });

  test("verify restores it into a scratch database and compares every row; a value that is another is found", async () => {
    const folder = newFolder();
    const encryption = { passphrase: "x" };
    const report = await backup(openPool(source), { to: folder, encryption });
    const verified = await verify({ from: folder, encryption, into: poolOf(target) });
    expect(verified).toMatchObject({ isRestored: true, rows: report.rows });
    const pool = openPool(target);
    const dialect = await dialectOf(pool, undefined);
    const opened = await openBackup(folderStore(folder), undefined, encryption);
    const compare = () =>
      compareRows(dialect, new Target(pool, dialect), opened, 2, new Meter("verify", undefined), undefined);
    expect(await compare()).toEqual([]);
    await run(target, "UPDATE types SET u = u - 1 WHERE id = 0", "DELETE FROM `no key` LIMIT 1");
    expect((await compare()).map(({ file }) => file)).toEqual(["`no key`", "`types`"]);
  });

  test("chosen tables go into tables that are there, beside what others hold", async () => {
    const folder = newFolder();
    await backup(openPool(source), { to: folder });
    const pool = openPool(target);
    const chosen = { from: folder, tables: ["customer", "orders", "aside"] };
    expect(await rejection(restore(pool, chosen))).toMatchObject({ code: "TARGET_LACKS", subject: "public.aside" });
    expect(await rejection(restore(pool, { ...chosen, tables: ["nothing*"] }))).toMatchObject({ code: "NO_TABLES" });
    await restore(pool, { from: folder });
    expect(await rejection(restore(pool, chosen))).toMatchObject({ code: "REFUSED", subject: "public.orders" });
    await run(
      target,
      "DROP TRIGGER noted",
      "DELETE FROM orders",
      "DELETE FROM customer",
      "INSERT INTO customer (id, name) VALUES (1, 'new')",
    );
    expect(await rejection(restore(pool, { ...chosen, tables: ["customer"] }))).toMatchObject({
      code: "TARGET_NOT_EMPTY",
      subject: "public.customer",
    });
    expect(await restore(pool, { ...chosen, existing: "replace" })).toMatchObject({ tables: 3, hasSchema: false });
    expect(await contents(target)).toEqual(await contents(source));
    // rows that refer to others that are not there
    await run(target, "SET SESSION foreign_key_checks = 0", "DELETE FROM orders", "DELETE FROM customer");
    const error = await rejection(restore(pool, { ...chosen, tables: ["orders"] }));
    expect(error).toMatchObject({ code: "REFUSED", subject: "of `c" });
    expect(await rejection(restore(pool, { ...chosen, tables: ["customer"] }))).toMatchObject({
      code: "TARGET_MARKED",
    });
    expect(await abandonRestore(pool)).toBeDefined();
    await restore(pool, { ...chosen, tables: ["customer"] });
    await restore(pool, { ...chosen, tables: ["orders"] });
    await restore(pool, { from: folder, tables: ["no key"], existing: "append" });
    const count = await target.primary().query<{ count: number }>("SELECT COUNT(*) AS count FROM app.`no key`");
    expect(count).toEqual([{ count: 60 }]);
  });

  test("long values come back as they are; of those that no strict mode takes a backup warns", async () => {
    await run(
      target,
      "SET SESSION sql_mode = ''",
      "CREATE TABLE loose (id int PRIMARY KEY, e enum('a', 'b'), s set('x', 'y'), body longblob, words longtext)",
      "INSERT INTO loose (id, e) VALUES (1, 'c'), (2, NULL), (3, 'a')",
      "INSERT INTO loose (id, body, words) VALUES (4, REPEAT(x'00ff5c0a', 1000000), REPEAT('tab\\tä\\\\', 700000))",
    );
    const before = await contents(target);
    const folder = newFolder();
    const pool = openPool(target);
    const report = await backup(pool, { to: folder });
    expect(report.bytes).toBeGreaterThan(8_000_000);
    expect(report.warnings).toEqual([
      expect.stringContaining("public.loose: e has a value that is none of its labels"),
    ]);
    await clear(target);
    const error = await rejection(restore(pool, { from: folder }));
    expect(error).toMatchObject({ code: "REFUSED", subject: "public.loose" });
    expect(inspect(error, { depth: 9 }).length).toBeLessThan(10_000);
    await run(target, "DROP TABLE mirrorpool_restore", "ALTER TABLE loose MODIFY e enum('a', 'b', '')");
    await restore(pool, { from: folder, schema: false });
    expect(await contents(target)).toEqual(before);
  });

  test("what the definitions of others need is left out on demand, and rows alone say so", async () => {
    const folder = newFolder();
    const pool = openPool(source);
    expect((await backup(pool, { to: folder, schema: false })).warnings.join()).toContain("no definitions");
    expect(await rejection(backup(pool, { to: folder, form: "binary" }))).toBeInstanceOf(OptionsError);
    expect(await rejection(backup(pool, { to: folder, schema: { pgDump: "x" } }))).toBeInstanceOf(OptionsError);
    const one = await backup(pool, { to: folder, tables: ["customer"] });
    expect(one).toMatchObject({ tables: 1, rows: 30, hasSchema: false });
  });
});
