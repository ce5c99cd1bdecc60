import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { createPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BackupError, type BackupOptions, backup, listBackups, restore, verify } from "../src/index.ts";
import { newFolder, poolOf, rejection } from "./support.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 0 });
  await using pool = createPool(poolOf(cluster));
  await pool.query("CREATE TABLE item (id int PRIMARY KEY, name text)");
  await pool.query("INSERT INTO item SELECT i, md5(i::text) FROM generate_series(1, 60000) AS i");
});
afterAll(() => cluster?.close());

const passphrase = "correct horse battery staple";

async function make(options: Partial<BackupOptions> = {}): Promise<{ folder: string; name: string; data: string[] }> {
  const folder = newFolder();
  const { name } = await backup(poolOf(cluster), { to: folder, chunkBytes: 1024 ** 2, ...options });
  return { folder, name, data: readdirSync(join(folder, name, "data")).sort() };
}

const damages: Readonly<Record<string, (file: string, other: string) => void>> = {
  "one bit flipped": (file) => {
    const content = readFileSync(file);
    const at = content.length >> 1;
    content[at] = (content[at] ?? 0) ^ 1;
    writeFileSync(file, content);
  },
  truncated: (file) => truncateSync(file, 1000),
  emptied: (file) => truncateSync(file, 0),
  "with bytes appended": (file) => appendFileSync(file, "x"),
  removed: (file) => rmSync(file),
  "another chunk in its place": (file, other) => cpSync(other, file),
};

const cases = [
  ...Object.keys(damages).flatMap((damage) => [[damage, "zstd"] as const, [damage, "encrypted"] as const]),
  ...(["gzip", "none"] as const).map((form) => ["truncated", form] as const),
];

test.each(cases)(
  "a chunk that is %s (%s) is refused by its name, and nothing of it is restored",
  async (damage, form) => {
    const encryption = form === "encrypted" ? { encryption: { passphrase } } : {};
    const { folder, name, data } = await make(form === "encrypted" ? encryption : { compression: form });
    const [one = "", other = ""] = data;
    damages[damage]?.(join(folder, name, "data", one), join(folder, name, "data", other));
    const error = await rejection(verify({ from: folder, ...encryption }));
    expect(error).toBeInstanceOf(BackupError);
    expect(error).toMatchObject({ code: "CORRUPT", subject: `${name}/data/${one}` });
    expect(String(error)).not.toContain(other);
    await using pool = createPool(poolOf(cluster));
    await pool.query("CREATE TABLE IF NOT EXISTS scratch.item AS TABLE item WITH NO DATA").catch(() => {});
    const refused = await rejection(
      restore(pool, { from: folder, existing: "replace", tables: ["public.item"], ...encryption }),
    );
    expect(refused).toMatchObject({ code: "CORRUPT" });
    const { rows } = await pool.query<{ count: number }>("SELECT count(*)::int AS count FROM item WHERE name IS NULL");
    expect(rows).toEqual([{ count: 0 }]);
    // the target is marked until the restore ends; here it is made whole by hand
    await pool.query("DROP SCHEMA mirrorpool_restore CASCADE");
    await pool.query("TRUNCATE item");
    await pool.query("INSERT INTO item SELECT i, md5(i::text) FROM generate_series(1, 60000) AS i");
  },
);

test("a chunk of another backup is refused, encrypted with the same passphrase or not", async () => {
  for (const options of [{}, { encryption: { passphrase } }]) {
    const [mine, foreign] = [await make(options), await make(options)];
    const [file = ""] = mine.data;
    const path = join(mine.folder, mine.name, "data", file);
    const before = readFileSync(path);
    cpSync(join(foreign.folder, foreign.name, "data", file), path);
    if (before.equals(readFileSync(path))) continue; // the same rows, in the open: nothing to refuse
    expect(await rejection(verify({ from: mine.folder, ...options }))).toMatchObject({ code: "CORRUPT" });
  }
});

test("a file that does not belong to the backup is named", async () => {
  const { folder, name } = await make();
  writeFileSync(join(folder, name, "data", "999999.copy.zst"), "x");
  expect(await rejection(verify({ from: folder }))).toMatchObject({ subject: `${name}/data/999999.copy.zst` });
});

test("a manifest that was changed, cut off or moved to another name is refused", async () => {
  const { folder, name } = await make();
  const path = join(folder, name, "manifest.json");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace('"rows":60000', '"rows":60001'));
  expect(await rejection(verify({ from: folder }))).toMatchObject({
    code: "CORRUPT",
    subject: `${name}/manifest.json`,
  });
  writeFileSync(path, text.slice(0, 100));
  expect(await rejection(verify({ from: folder }))).toMatchObject({ code: "CORRUPT" });
  writeFileSync(path, text);
  renameSync(join(folder, name), join(folder, "20990101T000000Z-000000"));
  expect(await rejection(verify({ from: folder }))).toMatchObject({ code: "CORRUPT" });
});

test("without its manifest a backup is not finished, and is never taken for one", async () => {
  const { folder, name } = await make();
  rmSync(join(folder, name, "manifest.json"));
  expect(await listBackups(folder)).toEqual([]);
  expect(await rejection(verify({ from: folder }))).toMatchObject({ code: "NOT_FOUND" });
  expect(await rejection(restore(poolOf(cluster), { from: folder, backup: name }))).toMatchObject({
    code: "UNFINISHED",
  });
  expect(await rejection(verify({ from: folder, backup: "elsewhere" }))).toMatchObject({ code: "NOT_FOUND" });
});

test("an encrypted backup opens with its key only, and shows nothing without", async () => {
  const keyFile = join(newFolder(), "key");
  writeFileSync(keyFile, `${"0123456789abcdef".repeat(4)}\n`);
  for (const encryption of [{ passphrase }, { keyFile }]) {
    const { folder, name } = await make({ encryption });
    expect((await verify({ from: folder, encryption })).rows).toBe(60_000);
    const everything = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"))
      .join("");
    for (const secret of ["item", passphrase, "0123456789abcdef"]) expect(everything).not.toContain(secret);
    const wrong = [
      { passphrase: `${passphrase}.` },
      undefined,
      "passphrase" in encryption ? { keyFile } : { passphrase },
    ];
    for (const other of wrong) {
      const error = await rejection(verify({ from: folder, ...(other && { encryption: other }) }));
      expect(error).toMatchObject({ code: other === undefined ? "KEY_REQUIRED" : "KEY_WRONG" });
      expect(String(error)).not.toContain("horse");
    }
    expect(await listBackups(folder)).toMatchObject([{ name, manifest: undefined }]);
  }
});

test("a key file that is no key is refused", async () => {
  const keyFile = join(newFolder(), "key");
  writeFileSync(keyFile, "too short");
  const error = await rejection(backup(poolOf(cluster), { to: newFolder(), encryption: { keyFile } }));
  expect(error).toMatchObject({ code: "KEY_WRONG" });
  const missing = { keyFile: `${keyFile}.not-there` };
  expect(await rejection(backup(poolOf(cluster), { to: newFolder(), encryption: missing }))).toMatchObject({
    code: "KEY_REQUIRED",
  });
});
