import { createPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backup, type Progress } from "../src/index.ts";
import { newFolder, openPool, poolOf } from "./support.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  await using pool = createPool(poolOf(cluster));
  await pool.query("CREATE TABLE item (id int PRIMARY KEY, name text, price numeric)");
  await pool.query("INSERT INTO item SELECT i, repeat('x', 500), i * 1.5 FROM generate_series(1, 20000) AS i");
  await pool.query("CREATE TABLE nothing (a int)");
  await cluster.caughtUp();
});
afterAll(() => cluster?.close());

test("a backup reads all tables from a mirror, and says what is not in it", async () => {
  const seen: Progress[] = [];
  const report = await backup(openPool(cluster), {
    to: newFolder(),
    chunkBytes: 1024 ** 2,
    onProgress: (progress) => void seen.push(progress),
  });
  expect(report).toMatchObject({ role: "mirror", node: "node2", tables: 2, rows: 20_000, hasSchema: false });
  expect(report.chunks).toBeGreaterThan(5);
  expect(report.warnings.join()).toContain("no definitions");
  expect(report.storedBytes).toBeLessThan(report.bytes / 2);
  expect(seen[0]).toMatchObject({ job: "backup", phase: "plan" });
  expect(seen.at(-1)).toMatchObject({ phase: "done", rows: 20_000, bytes: report.bytes, remainingMs: 0 });
  // each chunk is told
  const told = new Set(seen.filter(({ phase }) => phase === "rows").map(({ chunks }) => chunks.done));
  expect([...told]).toEqual(Array.from({ length: report.chunks + 1 }, (_, done) => done));
});
