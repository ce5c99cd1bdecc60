import type { LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { backup, restore, verify } from "../../src/index.ts";
import { newFolder, rejection } from "../support.ts";
import { hostile } from "./hostile.ts";
import { clear, contents, definitions, KINDS, openPool, poolOf, run, startCluster } from "./support.ts";

describe.each(KINDS)("%s", (kind) => {
  let source: LabCluster;
  let target: LabCluster;

  beforeAll(async () => {
    [source, target] = await Promise.all([startCluster(kind, 1), startCluster(kind, 0)]);
    await run(source, ...hostile(kind));
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
    expect(await rejection(restore(poolOf(target), { from: folder }))).toMatchObject({ code: "TARGET_NOT_EMPTY" });
  });
});
