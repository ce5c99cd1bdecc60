import { compare, copy } from "@mirrorpool/sync";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createPair, type Pair } from "./support.ts";

let pair: Pair;

beforeAll(async () => {
  pair = await createPair();
});
beforeEach(() => pair.clear());
afterAll(() => pair?.[Symbol.asyncDispose]());

const fast = { recheckMs: 10 };

test("ten rows changed, three removed, two added among many are found exactly, and nothing else", async () => {
  await pair.both("CREATE TABLE t (id bigint PRIMARY KEY, n numeric, f float8, body text, ba bytea, at timestamptz)");
  await pair.from.query(
    "INSERT INTO t SELECT n * 7, n / 3.0, n / 7.0, 'body ' || n, decode(md5(n::text), 'hex'), now() + n * interval '1 s' FROM generate_series(1, 200000) n",
  );
  await copy({ from: pair.from, to: pair.to });
  expect(await compare({ ...fast, from: pair.from, to: pair.to, chunkBytes: 1_048_576 })).toMatchObject({
    isEqual: true,
    rows: { from: 200_000, to: 200_000 },
    differences: [],
  });
  const changes = [
    ["body = NULL", 7],
    ["body = ''", 14],
    ["body = body || ' '", 7000],
    ["n = round(n, 3)", 70_000],
    ["n = n::text::numeric * 1.0", 700_000],
    ["f = -f", 140_000],
    ["f = f + 1e-11", 700],
    ["ba = ba || '\\\\x00'", 1_400_000],
    ["at = at + interval '1 us'", 77],
    ["at = NULL", 84],
  ] as const;
  for (const [change, id] of changes)
    await pair.to.query(`UPDATE t SET ${change.replaceAll("\\\\", "\\")} WHERE id = $1`, [id]);
  await pair.to.query("DELETE FROM t WHERE id IN (21, 770000, 1399993)");
  await pair.to.query("INSERT INTO t (id) VALUES (-5), (15)");
  const report = await compare({ ...fast, from: pair.from, to: pair.to, chunkBytes: 1_048_576 });
  const keysOf = (what: string): string[] =>
    report.differences
      .filter((each) => each.what === what)
      .map(({ key }) => key?.join() ?? "")
      .sort();
  expect(keysOf("different")).toEqual(changes.map(([, id]) => String(id)).sort());
  expect(keysOf("missing")).toEqual(["1399993", "21", "770000"]);
  expect(keysOf("extra")).toEqual(["-5", "15"]);
  expect(report.isEqual).toBe(false);
});

test("keys of several columns, with texts of any order, are found by name", async () => {
  await pair.both(`CREATE TABLE "W" (a text, b uuid, "c d" int, PRIMARY KEY (a, b))`);
  await pair.from.query(
    `INSERT INTO "W" SELECT chr(64 + n % 60) || 'ä''"', md5(n::text)::uuid, n FROM generate_series(1, 10000) n`,
  );
  await copy({ from: pair.from, to: pair.to });
  await pair.to.query(`UPDATE "W" SET "c d" = 0 WHERE "c d" = 5000`);
  const { differences } = await compare({ ...fast, from: pair.from, to: pair.to, chunkBytes: 65_536 });
  const { rows } = await pair.from.query<{ a: string; b: string }>(`SELECT a, b FROM "W" WHERE "c d" = 5000`);
  expect(differences).toEqual([{ table: "public.W", key: [rows[0]?.a, rows[0]?.b], what: "different" }]);
});

test("a table without a key is compared whole: equal rows that come twice do not cancel each other out", async () => {
  await pair.both("CREATE TABLE bag (t text)");
  await pair.from.query("INSERT INTO bag VALUES ('a'), ('a'), ('c')");
  await pair.to.query("INSERT INTO bag VALUES ('c'), ('a'), ('a')");
  expect(await compare({ ...fast, from: pair.from, to: pair.to })).toMatchObject({ isEqual: true });
  await pair.to.query("UPDATE bag SET t = 'b' WHERE t = 'a'");
  expect((await compare({ ...fast, from: pair.from, to: pair.to })).differences).toEqual([
    { table: "public.bag", key: null, what: "different" },
  ]);
});

test("rows that differ in everything end the search at the bound, which the report says", async () => {
  await pair.both("CREATE TABLE t (id int PRIMARY KEY)");
  await pair.from.query("INSERT INTO t SELECT generate_series(1, 20000)");
  const report = await compare({ ...fast, from: pair.from, to: pair.to, maxDifferences: 50 });
  expect(report).toMatchObject({ isEqual: false, isTruncated: true });
  expect(report.differences).toHaveLength(50);
});

test("what was seen in between, while the target follows, is looked at again and is no difference", async () => {
  await pair.both("CREATE TABLE t (id int PRIMARY KEY, n int)");
  await pair.both("INSERT INTO t SELECT n, n FROM generate_series(1, 100) n");
  await pair.from.query("UPDATE t SET n = 0 WHERE id <= 3");
  const comparing = compare({
    from: pair.from,
    to: pair.to,
    recheckMs: 500,
    onProgress: ({ phase, chunks: { done } }) => {
      // two of them arrive a little later
      if (phase === "rows" && done === 0) setTimeout(() => void pair.to.query("UPDATE t SET n = 0 WHERE id <= 2"), 300);
    },
  });
  expect((await comparing).differences).toEqual([{ table: "public.t", key: ["3"], what: "different" }]);
});

test("the same types in different versions and partitions in one table compare", async () => {
  await pair.from.query("CREATE TABLE t (id int PRIMARY KEY, v varchar(5)) PARTITION BY HASH (id)");
  await pair.from.query("CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0)");
  await pair.from.query("CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)");
  await pair.to.query("CREATE TABLE t (v text, id bigint PRIMARY KEY)");
  await pair.from.query("INSERT INTO t SELECT n, n FROM generate_series(1, 1000) n");
  await copy({ from: pair.from, to: pair.to, tables: ["t"] });
  expect(await compare({ ...fast, from: pair.from, to: pair.to, tables: ["t"] })).toMatchObject({ isEqual: true });
});
