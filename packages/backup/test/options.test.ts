import { createPool, OptionsError } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import { expect, onTestFinished, test } from "vitest";
import { type BackupOptions, backup, type RestoreOptions, restore, verify } from "../src/index.ts";
import { newFolder, rejection } from "./support.ts";

const nobody = { driver: postgres(), nodes: ["postgres://app:secret@127.0.0.1:1/app"] };

test.each([
  [{ to: 7 }, "to: expected the path of a folder, or a store, got 7"],
  [{ to: "" }, "to: expected the path of a folder"],
  [{ jobs: 0 }, "jobs: expected a whole number from 1 to 32, got 0"],
  [{ jobs: "2" }, 'jobs: expected a whole number from 1 to 32, got "2"'],
  [{ compression: "lz4" }, 'compression: expected one of "zstd", "gzip", "none", got "lz4"'],
  [{ from: "somewhere" }, 'from: expected one of "mirror", "primary"'],
  [{ chunkBytes: 1 }, "chunkBytes: expected a whole number from 1048576"],
  [{ keep: {} }, "keep: expected days, count or both"],
  [{ keep: { days: -1 } }, "keep.days: expected a whole number from 1 to 36500, got -1"],
  [{ keep: { weeks: 1 } }, "weeks: expected one of days, count"],
  [{ tables: [] }, "tables: expected a list of names"],
  [{ schema: "yes" }, "schema: expected"],
  [{ schema: { path: "x" } }, "path: expected one of pgDump, url"],
  [
    { encryption: { password: "hunter2" } },
    "encryption: expected { passphrase } or { keyFile }, got an object with password",
  ],
  [{ encryption: "hunter2" }, "encryption: expected"],
  [{ signal: 1 }, "signal: expected an AbortSignal"],
  [{ onProgress: 1 }, "onProgress: expected a function"],
  [{ compresion: "zstd" }, "compresion: expected one of to, tables"],
])("a backup with %j is refused before anything is done", async (options, message) => {
  const given = { to: newFolder(), ...options } as BackupOptions;
  const error = await rejection(backup(nobody, given));
  expect(error).toBeInstanceOf(OptionsError);
  expect(String(error)).toContain(message);
  expect(String(error)).not.toContain("hunter2");
});

test.each([
  [{ existing: "drop" }, 'existing: expected one of "refuse", "append", "replace"'],
  [{ backup: "../../etc" }, "backup: expected letters, digits, dots and hyphens"],
  [{ owners: 1 }, "owners: expected true or false"],
  [{ table: [] }, "table: expected one of from"],
])("a restore with %j is refused before anything is done", async (options, message) => {
  const error = await rejection(restore(nobody, { from: newFolder(), ...options } as RestoreOptions));
  expect(error).toBeInstanceOf(OptionsError);
  expect(String(error)).toContain(message);
});

test("a folder without a backup is no backup", async () => {
  expect(await rejection(verify({ from: newFolder() }))).toMatchObject({ code: "NOT_FOUND" });
});

test("a source that is not there ends the job with the pool's error, without the password", async () => {
  const pool = createPool({ ...nobody, timeouts: { failoverMs: 500 } });
  onTestFinished(() => pool.close());
  const error = await rejection(backup(pool, { to: newFolder() }));
  expect(error).toMatchObject({ code: expect.stringMatching(/NO_NODE|NO_PRIMARY|DEADLINE/) });
  expect(String(error)).not.toContain("secret");
});
