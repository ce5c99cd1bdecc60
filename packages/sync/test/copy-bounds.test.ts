import { copy, type Progress } from "@mirrorpool/sync";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { contentOf, createPair, type Pair } from "./support.ts";

let pair: Pair;

beforeAll(async () => {
  pair = await createPair({ settings: { max_locks_per_transaction: "512" } });
});
beforeEach(() => pair.clear());
afterAll(() => pair?.[Symbol.asyncDispose]());

test("values of a hundred megabytes pass through without being held", async () => {
  await pair.both(
    "CREATE TABLE huge (id int PRIMARY KEY, body bytea)",
    "ALTER TABLE huge ALTER body SET STORAGE EXTERNAL",
  );
  await pair.from.query(
    "INSERT INTO huge SELECT n, convert_to(repeat('0123456789abcdef', 6250000), 'UTF8') FROM generate_series(1, 2) n",
    [],
    {
      timeoutMs: 60_000,
    },
  );
  let most = 0;
  const before = process.memoryUsage().rss;
  const onProgress = (_: Progress): void => {
    most = Math.max(most, process.memoryUsage().rss - before);
  };
  const report = await copy({ from: pair.from, to: pair.to, onProgress });
  expect(report.bytes).toBeGreaterThan(190_000_000);
  expect(most).toBeLessThan(100 * 1024 * 1024);
  const sums = "SELECT id, length(body) AS length, md5(body) AS sum FROM huge ORDER BY id";
  expect((await pair.to.query(sums)).rows).toEqual((await pair.from.query(sums)).rows);
});

test("hundreds of tables are as good as one", async () => {
  const make = (first: number): string => `DO $$ BEGIN FOR n IN ${first}..${first + 199} LOOP
    EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, body text)', n); END LOOP; END $$`;
  const fill = (first: number): string => `DO $$ BEGIN FOR n IN ${first}..${first + 199} LOOP
    EXECUTE format('INSERT INTO t%s VALUES (%s, repeat(''x'', 10))', n, n); END LOOP; END $$`;
  for (let first = 0; first < 600; first += 200) {
    await pair.both(make(first));
    await pair.from.query(fill(first));
  }
  const report = await copy({ from: pair.from, to: pair.to, connections: 3 });
  expect(report).toMatchObject({ tables: 600, rows: 600 });
  for (const table of ["t0", "t599"]) expect(await contentOf(pair.to, table)).toBe(await contentOf(pair.from, table));
});
