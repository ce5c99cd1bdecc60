import { createPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backup, restore, verify } from "../src/index.ts";
import { contents, makeHostile } from "./hostile.ts";
import { newFolder, poolOf, rejection } from "./support.ts";

// PostgreSQL with all its programs: pg_dump comes with the system's
let source: LabCluster;
let target: LabCluster;

beforeAll(async () => {
  [source, target] = await Promise.all([
    createCluster({ mirrors: 1, system: "system" }),
    createCluster({ mirrors: 0, system: "system" }),
  ]);
  await using pool = createPool(poolOf(source));
  await makeHostile((text) => pool.query(text));
  await source.caughtUp();
});
afterAll(async () => {
  await source?.close();
  await target?.close();
});

/** What pg_dump would write of the definitions, without its random word. */
async function definitionsOf(cluster: LabCluster): Promise<string> {
  const { execFileSync } = await import("node:child_process");
  const sql = execFileSync("pg_dump", ["--schema-only", `--dbname=${cluster.primary().adminUrl}`], {
    encoding: "utf8",
  });
  return sql.replace(/^\\(un)?restrict .*$/gm, "");
}

test("a database comes back whole: definitions, rows, sequences, keys, views", async () => {
  const folder = newFolder();
  const report = await backup(poolOf(source), { to: folder, chunkBytes: 1024 ** 2, from: "primary" });
  expect(report).toMatchObject({ hasSchema: true, role: "primary", warnings: [], isResumed: false });
  expect(await verify({ from: folder })).toMatchObject({ backup: report.name, rows: report.rows, isRestored: false });
  const restored = await restore(poolOf(target), { from: folder });
  expect(restored).toMatchObject({ rows: report.rows, hasSchema: true, isResumed: false });
  expect(await contents(target.primary())).toEqual(await contents(source.primary()));
  expect(await definitionsOf(target)).toBe(await definitionsOf(source));
  expect(await rejection(restore(poolOf(target), { from: folder }))).toMatchObject({ code: "TARGET_NOT_EMPTY" });
});
