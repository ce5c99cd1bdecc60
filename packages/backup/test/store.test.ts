import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createPool, OptionsError } from "@mirrorpool/core";
import { createCluster } from "@mirrorpool/lab";
import S3rver from "s3rver";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backup, folderStore, restore, type Store, s3Store, verify } from "../src/index.ts";
import { newFolder, poolOf, rejection } from "./support.ts";

const MEBIBYTE = 1024 ** 2;
const login = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" } as const;
let server: S3rver;
let endpoint: string;
const directory = mkdtempSync(join(tmpdir(), "mirrorpool-s3-"));

beforeAll(async () => {
  const port = await freePort();
  server = new S3rver({
    port,
    address: "127.0.0.1",
    silent: true,
    directory,
    configureBuckets: [{ name: "backups", configs: [] }],
  });
  await server.run();
  endpoint = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
  await server?.close();
  rmSync(directory, { recursive: true, force: true });
});

const stores: Readonly<Record<string, () => Store>> = {
  folder: () => folderStore(newFolder()),
  "S3-compatible": () =>
    s3Store({ endpoint, bucket: "backups", prefix: `test/${Math.random()}`, partBytes: 5 * MEBIBYTE, ...login }),
};

describe.each(Object.entries(stores))("a store that is %s", (_, open) => {
  test("gives back what was written, whole and byte for byte", async () => {
    const store = open();
    // one request; exactly one part; several parts
    for (const size of [0, 1, 5 * MEBIBYTE, 12 * MEBIBYTE + 7]) {
      const content = Buffer.alloc(size, `${size}.`);
      await store.write("a/b.zst", pieces(content));
      expect((await read(store, "a/b.zst"))?.equals(content)).toBe(true);
      expect(await store.list("a/")).toEqual([{ name: "a/b.zst", bytes: size }]);
    }
  });

  test("takes many objects at once into a folder that is not there yet", async () => {
    const store = open();
    const names = Array.from({ length: 40 }, (_, index) => `new/folder/${index}`);
    await Promise.all(names.map((name) => store.write(name, pieces(Buffer.from(name)))));
    for (const name of names) expect((await read(store, name))?.toString()).toBe(name);
  });

  test("lists by the beginning of names, and removes", async () => {
    const store = open();
    for (const name of ["x/1", "x/2", "y/1"]) await store.write(name, pieces(Buffer.from(name)));
    expect((await store.list("")).map(({ name }) => name).sort()).toEqual(["x/1", "x/2", "y/1"]);
    expect((await store.list("x/")).map(({ name }) => name).sort()).toEqual(["x/1", "x/2"]);
    await store.remove("x/1");
    await store.remove("x/1");
    expect(await store.list("x/1")).toEqual([]);
    expect(await store.read("x/1")).toBeUndefined();
  });

  test("has nothing under a name whose content failed or whose writing was ended, and keeps what was there", async () => {
    const store = open();
    await store.write("kept", pieces(Buffer.from("before")));
    for (const name of ["kept", "new"]) {
      expect(await rejection(store.write(name, failing(7 * MEBIBYTE)))).toMatchObject({ message: "no more" });
      const stop = new AbortController();
      const writing = rejection(store.write(name, endless(), stop.signal));
      await sleep(50);
      stop.abort(new Error("enough"));
      await writing;
    }
    expect((await read(store, "kept"))?.toString()).toBe("before");
    expect(await store.read("new")).toBeUndefined();
    expect((await store.list("")).map(({ name }) => name)).toEqual(["kept"]);
  });
});

test("a backup goes to an S3-compatible store and comes back from it", async () => {
  await using cluster = await createCluster({ mirrors: 0 });
  await using pool = createPool(poolOf(cluster));
  await pool.query("CREATE TABLE item (id int PRIMARY KEY, name text)");
  await pool.query("INSERT INTO item SELECT i, md5(i::text) FROM generate_series(1, 20000) AS i");
  const to = s3Store({ endpoint, bucket: "backups", prefix: "shop", ...login });
  const report = await backup(pool, { to, encryption: { passphrase: "s3cret" } });
  expect(report.store).toBe(`${endpoint}/backups/shop/`);
  await verify({ from: to, encryption: { passphrase: "s3cret" } });
  await pool.query("TRUNCATE item");
  expect(await restore(pool, { from: to, encryption: { passphrase: "s3cret" } })).toMatchObject({ rows: 20_000 });
  expect((await pool.query("SELECT count(*)::int AS count FROM item")).rows).toEqual([{ count: 20_000 }]);
});

test("a login that is refused, and a store that is not there, say so without the secret", async () => {
  const wrong = s3Store({ endpoint, bucket: "backups", accessKeyId: "somebody", secretAccessKey: "a wrong one" });
  const nowhere = s3Store({ endpoint: `http://127.0.0.1:${await freePort()}`, bucket: "backups", ...login });
  const noBucket = s3Store({ endpoint, bucket: "elsewhere", ...login });
  for (const store of [wrong, nowhere, noBucket]) {
    const error = await rejection(store.list(""));
    expect(error).toMatchObject({ code: "STORE_FAILED" });
    expect(String(error)).not.toContain("a wrong one");
  }
});

test.each([
  [{ endpoint: "ftp://x" }, "endpoint"],
  [{ bucket: "" }, "bucket"],
  [{ partBytes: 1 }, "partBytes"],
  [{ secret: "x" }, "secret"],
])("options of a store that cannot be are refused: %j", (options, path) => {
  const make = (): Store => s3Store({ endpoint: "http://x", bucket: "b", ...login, ...options });
  expect(make).toThrow(OptionsError);
  expect(make).toThrow(path);
});

async function* pieces(content: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < content.length; at += 100_003) yield content.subarray(at, at + 100_003);
}

async function* failing(bytes: number): AsyncGenerator<Buffer> {
  yield Buffer.alloc(bytes);
  throw new Error("no more");
}

async function* endless(): AsyncGenerator<Buffer> {
  for (;;) {
    await sleep(5);
    yield Buffer.alloc(100_000);
  }
}

async function read(store: Store, name: string): Promise<Buffer | undefined> {
  const stream = await store.read(name);
  return stream && Buffer.concat(await stream.toArray());
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("what writers that were killed have begun goes with the last file of its folder", async () => {
  const folder = newFolder();
  const store = folderStore(folder);
  await store.write("one/alive.json", pieces(Buffer.from("x")));
  mkdirSync(join(folder, "one/data/deep"), { recursive: true });
  for (const name of ["one/a", "one/data/b", "one/data/deep/c"])
    writeFileSync(join(folder, `${name}.0123456789ab.tmp`), "begun");
  await store.write("two/alive.json", pieces(Buffer.from("x")));
  writeFileSync(join(folder, "two/b.0123456789ab.tmp"), "begun");
  await store.write("two/data/1", pieces(Buffer.from("x")));
  await store.remove("one/alive.json");
  await store.remove("two/alive.json");
  expect(readdirSync(folder, { recursive: true }).map(String).sort()).toEqual([
    ...["two", "two/b.0123456789ab.tmp", "two/data", "two/data/1"],
  ]);
});
