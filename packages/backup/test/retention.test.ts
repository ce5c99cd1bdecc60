import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createPool } from "@mirrorpool/core";
import { createCluster } from "@mirrorpool/lab";
import { describe, expect, test } from "vitest";
import { backup, listBackups } from "../src/index.ts";
import { type Dated, outdated } from "../src/retention.ts";
import { newFolder, poolOf } from "./support.ts";

const SHA256_OF_NULL = createHash("sha256").update("null").digest("hex");
const DAY_MS = 86_400_000;
const now = Date.parse("2026-06-15T12:00:00Z");
const aged = (...days: number[]): Dated[] =>
  days.map((each) => ({ name: `${each} days`, finishedAt: new Date(now - each * DAY_MS).toISOString() }));

describe("retention", () => {
  test.each([
    [{ days: 7 }, [0, 6.9, 7.1, 30], ["7.1 days", "30 days"]],
    [{ days: 7 }, [8, 30], ["30 days"]],
    [{ count: 2 }, [0, 1, 2, 3], ["2 days", "3 days"]],
    [{ count: 1 }, [5], []],
    [{ days: 2, count: 3 }, [0, 1, 3, 4], ["4 days"]],
    [{ days: 5, count: 1 }, [0, 1, 3, 6], ["6 days"]],
    [{ days: 1 }, [], []],
  ])("%j of backups that are %j days old removes %j", (keep, days, removed) => {
    expect(outdated(aged(...days), keep, now)).toEqual(removed);
  });
});

test("older backups of the same database go once the new one is finished, and nothing else does", async () => {
  await using cluster = await createCluster({ mirrors: 0 });
  await using pool = createPool(poolOf(cluster));
  await pool.query("CREATE TABLE item AS SELECT generate_series(1, 100) AS id");
  const folder = newFolder();
  // somebody else's
  mkdirSync(join(folder, "photos"));
  writeFileSync(join(folder, "photos", "1.jpg"), "x");
  writeFileSync(join(folder, "notes.txt"), "x");
  const sealed = await backup(pool, { to: folder, encryption: { passphrase: "another one's" } });
  // left behind by runs that were killed: one with nothing in it yet, one that another key opens
  for (const [name, file] of [
    ["20260101T000000Z-aaaaaa", "alive.json"],
    ["20260101T000000Z-bbbbbb", "unfinished.json"],
  ] as const) {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "alive.json"), JSON.stringify({ host: "elsewhere", pid: 1, at: 0 }));
    const envelope = {
      format: "mirrorpool-backup",
      version: 1,
      id: "x",
      encryption: { type: "file" },
      sha256: SHA256_OF_NULL,
      body: null,
    };
    if (file === "unfinished.json") writeFileSync(join(folder, name, file), JSON.stringify(envelope));
  }
  const names: string[] = [];
  const removedFirst: string[] = [];
  for (let i = 0; i < 3; i += 1) {
    const made = await backup(pool, { to: folder, keep: { count: 2 } });
    names.push(made.name);
    if (i === 0) removedFirst.push(...made.removed);
  }
  const last = await backup(pool, { to: folder, keep: { count: 2 } });
  expect(last.removed).toEqual([names[1]]);
  expect(removedFirst).toEqual(["20260101T000000Z-aaaaaa"]);
  expect((await listBackups(folder)).map(({ name }) => name).sort()).toEqual([sealed.name, names[2], last.name].sort());
  expect(readdirSync(folder).sort()).toEqual(
    ["20260101T000000Z-bbbbbb", sealed.name, names[2], last.name, "notes.txt", "photos"].sort(),
  );
});
