import { createPool } from "@mirrorpool/core";
import { postgres } from "@mirrorpool/pg";
import { copy, JobError, type Progress } from "@mirrorpool/sync";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { contentOf, createPair, type Pair } from "./support.ts";

let pair: Pair;

beforeAll(async () => {
  pair = await createPair();
});
beforeEach(() => pair.clear());
afterAll(() => pair?.[Symbol.asyncDispose]());

/** What the copy rejects with. */
async function refusal(options: Partial<Parameters<typeof copy>[0]> = {}): Promise<JobError> {
  const error = await copy({ from: pair.from, to: pair.to, ...options }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(JobError);
  return error as JobError;
}

test("rows of all types arrive as they are, with their extremes", async () => {
  await pair.both(
    `CREATE TYPE mood AS ENUM ('glad', 'so "so"')`,
    `CREATE DOMAIN positive AS int CHECK (value > 0)`,
    `CREATE TABLE everything (id int PRIMARY KEY, b bool, i8 int8, n numeric, n2 numeric(10,4), f4 real, f8 float8, t text, v varchar(20),
      c char(5), ba bytea, u uuid, d date, ts timestamp, tz timestamptz, tm time, ttz timetz, iv interval, j json, jb jsonb, m mood, p positive,
      ia int[], ta text[], r int4range, mr int4multirange, i inet, bi bit(5), x xml, mo money, ma mood[], pt point, tv tsvector, rc regclass)`,
  );
  const values = [
    `1, true, 9223372036854775807, 'NaN', 1.5, 'Infinity', '-0', E'\\u0001 tab\t back\\\\slash \\\\N 🐘', '', 'ab', '\\x00ff', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
     'infinity', '-infinity', '294276-12-31 23:59:59.999999+00', '24:00:00', '12:00:00+05:30', '1 year -2 days 3.000001 s',
     '{"b":1, "a": 1e400,"a":2}', '{"b":1,"a":[null,"x"]}', 'so "so"', 7, '{1,NULL,3}', '{"a,b","c\\"d",NULL,""}', '[1,10)', '{[1,2),[5,6)}',
     '10.0.0.1/8', '10101', '<a>&amp;</a>', 12.34, '{glad,"so \\"so\\""}', '(1.5,-2)', 'a fat cat', 'everything'`,
    `2, false, -9223372036854775808, 1e-100, -999999.9999, 3.4028235e38, 2.2250738585072014e-308, '', NULL, '', '', NULL, '4713-01-01 BC', '2024-02-29 12:34:56.789012',
     '1969-07-20 20:17:40.000001-05', '00:00', NULL, '-1 mon', NULL, 'null', 'glad', NULL, '{}', '{}', 'empty', '{}', '::1', '00000', NULL, -0.01, '{}', NULL, NULL, NULL`,
    `3${", NULL".repeat(33)}`,
  ];
  for (const each of values) await pair.from.query(`INSERT INTO everything VALUES (${each})`);
  const report = await copy({ from: pair.from, to: pair.to });
  expect(report).toMatchObject({ tables: 1, rows: 3, views: 1 });
  expect(await contentOf(pair.to, "everything")).toBe(await contentOf(pair.from, "everything"));
});

test("big tables are cut into chunks that cover every row once, whatever their key", async () => {
  await pair.both(
    "CREATE TABLE numbers (id bigint PRIMARY KEY, body text)",
    "CREATE TABLE words (a text, b uuid DEFAULT gen_random_uuid(), n int, PRIMARY KEY (a, b))",
    "CREATE TABLE keyless (n int, body text)",
    "CREATE TABLE parts (id int, region text, body text, PRIMARY KEY (region, id)) PARTITION BY LIST (region)",
    "CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu')",
    "CREATE TABLE parts_rest PARTITION OF parts DEFAULT",
  );
  await pair.from.query(
    "INSERT INTO numbers SELECT n * n, repeat('x', (n % 50)::int) FROM generate_series(-20000, 20000) n WHERE n > 0",
  );
  await pair.from.query(
    "INSERT INTO words (a, n) SELECT CASE n % 3 WHEN 0 THEN 'ä' WHEN 1 THEN 'Z' ELSE '\"''\\' END || n % 100, n FROM generate_series(1, 20000) n",
  );
  await pair.from.query("INSERT INTO keyless SELECT n % 10, 'same' FROM generate_series(1, 20000) n");
  await pair.from.query(
    "INSERT INTO parts SELECT n, CASE n % 2 WHEN 0 THEN 'eu' ELSE 'us' END, 'b' FROM generate_series(1, 20000) n",
  );
  const report = await copy({ from: pair.from, to: pair.to, chunkBytes: 65_536, connections: 3 });
  expect(report.rows).toBe(80_000);
  expect(report.chunks.total).toBeGreaterThan(30);
  expect(report.chunks.copied).toBe(report.chunks.total);
  for (const table of ["numbers", "words", "keyless", "parts", "parts_eu"])
    expect(await contentOf(pair.to, table)).toBe(await contentOf(pair.from, table));
});

test("names with quotes, newlines, dots and emoji are names", async () => {
  const name = `"we""ird\n.'*\\ 🐘"`;
  await pair.both(
    `CREATE SCHEMA IF NOT EXISTS ${name}`,
    `DROP TABLE IF EXISTS ${name}.${name}`,
    `CREATE TABLE ${name}.${name} (${name} text PRIMARY KEY, "select" int GENERATED ALWAYS AS IDENTITY, "from" int)`,
  );
  await pair.from.query(`INSERT INTO ${name}.${name} VALUES ('it''s \\ "x"', DEFAULT, 1), ('b', DEFAULT, 2)`);
  const table = { schema: `we"ird\n.'*\\ 🐘`, name: `we"ird\n.'*\\ 🐘` };
  await copy({ from: pair.from, to: pair.to, tables: [table], job: `job'"🐘` });
  expect(await contentOf(pair.to, `${name}.${name}`)).toBe(await contentOf(pair.from, `${name}.${name}`));
  await pair.both(`DROP SCHEMA ${name} CASCADE`);
});

test("foreign keys, triggers and sequences are right afterwards; generated columns compute themselves", async () => {
  await pair.both(
    "CREATE TABLE customer (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, boss int REFERENCES customer, first_order int)",
    `CREATE TABLE "order" (id serial PRIMARY KEY, customer int NOT NULL REFERENCES customer, price int, double int GENERATED ALWAYS AS (price * 2) STORED)`,
    `ALTER TABLE customer ADD CONSTRAINT "first ""order""" FOREIGN KEY (first_order) REFERENCES "order" ON DELETE CASCADE DEFERRABLE`,
    "CREATE TABLE audit (what text)",
    "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.audit VALUES (TG_OP); RETURN NEW; END $$",
    "CREATE TRIGGER note AFTER INSERT ON customer FOR EACH ROW EXECUTE FUNCTION note()",
  );
  await pair.from.query("INSERT INTO customer (name, boss) SELECT 'c', nullif(n, 1) FROM generate_series(1, 100) n");
  await pair.from.query(`INSERT INTO "order" (customer, price) SELECT n % 100 + 1, n FROM generate_series(1, 1000) n`);
  await pair.from.query("UPDATE customer SET first_order = id");
  await copy({ from: pair.from, to: pair.to, tables: ["customer", "order"], chunkBytes: 65_536 });
  for (const table of ["customer", '"order"'])
    expect(await contentOf(pair.to, table)).toBe(await contentOf(pair.from, table));
  const definitions =
    "SELECT string_agg(conname || pg_get_constraintdef(oid) || convalidated, ';' ORDER BY conname) AS is FROM pg_constraint WHERE contype = 'f'";
  expect((await pair.to.query(definitions)).rows).toEqual((await pair.from.query(definitions)).rows);
  expect((await pair.to.query("SELECT FROM audit")).rowCount).toBe(0);
  const { rows } = await pair.to.query("INSERT INTO customer (name) VALUES ('next') RETURNING id");
  expect(rows).toEqual([{ id: 101 }]);
  expect((await pair.to.query("SELECT FROM audit")).rowCount).toBe(1);
  const next = await pair.to.query(`INSERT INTO "order" (customer, price) VALUES (1, 21) RETURNING id, double`);
  expect(next.rows).toEqual([{ id: 1001, double: 42 }]);
});

test("indexes of big empty tables are away while rows are written, and afterwards all are as they were", async () => {
  await pair.both(
    `CREATE TABLE "big 1" (id int CONSTRAINT "the ""key""" PRIMARY KEY, a int, b text, c int, d int, UNIQUE (a) INCLUDE (b) WITH (fillfactor = 70))`,
    `ALTER TABLE "big 1" ADD CONSTRAINT late UNIQUE (c, id) DEFERRABLE INITIALLY DEFERRED`,
    `CREATE INDEX "part ""ial" ON "big 1" (b COLLATE "C" text_pattern_ops DESC NULLS LAST, lower(b)) WHERE d > 1`,
    "CREATE FUNCTION own(int) RETURNS int IMMUTABLE LANGUAGE sql RETURN $1 + 1",
    `CREATE INDEX stays_by_function ON "big 1" (own(d))`,
    `CREATE INDEX stays_by_comment ON "big 1" (d)`,
    "COMMENT ON INDEX stays_by_comment IS 'a comment'",
    `CREATE UNIQUE INDEX stays_by_reference ON "big 1" (d, id)`,
    `CREATE TABLE refers (d int, id int, big int REFERENCES "big 1", FOREIGN KEY (d, id) REFERENCES "big 1" (d, id))`,
    "CREATE TABLE grouped (id int PRIMARY KEY, b text)",
    "CREATE VIEW by_key AS SELECT id, b FROM grouped GROUP BY id",
    "CREATE TABLE small (id int PRIMARY KEY)",
  );
  await pair.from.query(`INSERT INTO "big 1" SELECT n, n, 'text ' || n, n % 7, n FROM generate_series(1, 5000) n`);
  await pair.from.query("INSERT INTO grouped SELECT n, 'text ' || n FROM generate_series(1, 5000) n");
  const definitions = `SELECT i.indexdef, obj_description(format('%I.%I', schemaname, indexname)::regclass) AS comment, pg_get_constraintdef(k.oid) AS constraint
    FROM pg_indexes AS i LEFT JOIN pg_constraint AS k ON k.conindid = format('%I.%I', schemaname, indexname)::regclass AND k.contype <> 'f'
    WHERE schemaname = 'public' AND tablename !~ '^mirrorpool' ORDER BY indexname`;
  const before = await pair.to.query(definitions);
  const tables = ['"big 1"', "grouped", "small"];
  await copy({ from: pair.from, to: pair.to, tables: ["big 1", "grouped", "small"], chunkBytes: 65_536 });
  expect((await pair.to.query(definitions)).rows).toEqual(before.rows);
  for (const table of tables) expect(await contentOf(pair.to, table)).toBe(await contentOf(pair.from, table));
  const away = `SELECT each ->> 'name' AS name FROM mirrorpool_job, json_array_elements(plan::json -> 'setAside') AS each ORDER BY 1`;
  const { rows } = await pair.to.query<{ name: string }>(away);
  // the primary key is needed by a table that is not copied
  expect(rows.map(({ name }) => name)).toEqual(["big 1_a_b_key", "late", 'part "ial']);
  await pair.to.query("DROP TABLE refers");
  await copy({ from: pair.from, to: pair.to, tables: ["big 1"], chunkBytes: 65_536, into: "replace", job: "other" });
  const others = await pair.to.query<{ name: string }>(away);
  expect(others.rows.map(({ name }) => name)).toContain('the "key"');
  expect((await pair.to.query(definitions)).rows).toEqual(before.rows);
});

test("rows that break a unique index of the target end the copy when it comes back, and the same call goes on", async () => {
  await pair.both("CREATE TABLE t (id int PRIMARY KEY, n int)");
  await pair.to.query("CREATE UNIQUE INDEX once ON t (n)");
  await pair.from.query("INSERT INTO t SELECT n, n % 19999 FROM generate_series(1, 20000) n");
  const failed = { code: "CONSTRAINT_FAILED", message: expect.stringMatching(/^once on public\.t .*\(23505\)/) };
  await expect(copy({ from: pair.from, to: pair.to, chunkBytes: 65_536 })).rejects.toMatchObject(failed);
  await pair.from.query("UPDATE t SET n = -1 WHERE id = 20000");
  expect(await copy({ from: pair.from, to: pair.to, chunkBytes: 65_536 })).toMatchObject({ chunks: { redone: 1 } });
  expect(await contentOf(pair.to, "t")).toBe(await contentOf(pair.from, "t"));
  const { rows } = await pair.to.query("SELECT indexname FROM pg_indexes WHERE tablename = 't' ORDER BY 1");
  expect(rows).toEqual([{ indexname: "once" }, { indexname: "t_pkey" }]);
});

test("rows are read from one view, on a mirror, while the source goes on", async () => {
  await pair.both("CREATE TABLE account (id int PRIMARY KEY, balance int, body text)");
  await pair.from.query("INSERT INTO account SELECT n, 100, repeat('x', 200) FROM generate_series(1, 20000) n");
  let isMoving = true;
  const moving = (async () => {
    for (let n = 0; isMoving; n += 1) {
      await pair.from.transaction(async (transaction) => {
        await transaction.query("UPDATE account SET balance = balance - 1 WHERE id = $1", [(n % 20_000) + 1]);
        await transaction.query("UPDATE account SET balance = balance + 1 WHERE id = $1", [20_000 - (n % 20_000)]);
      });
    }
  })();
  const [primary, mirror] = pair.source.nodes.map(
    ({ proxy }) =>
      () =>
        proxy.stats.bytes.down,
  );
  const before = [primary?.() ?? 0, mirror?.() ?? 0] as const;
  const { bytes } = await copy({ from: pair.from, to: pair.to, chunkBytes: 65_536 });
  expect(bytes).toBeGreaterThan(4_000_000);
  expect((mirror?.() ?? 0) - before[1]).toBeGreaterThan(bytes);
  expect((primary?.() ?? 0) - before[0]).toBeLessThan(bytes / 2);
  isMoving = false;
  await moving;
  const { rows } = await pair.to.query("SELECT sum(balance)::int AS sum, count(*)::int AS count FROM account");
  expect(rows).toEqual([{ sum: 2_000_000, count: 20_000 }]);
});

test("what cannot be copied is refused before the first row, all of it at once", async () => {
  await pair.from.query("CREATE TABLE missing (id int PRIMARY KEY)");
  await pair.from.query("CREATE TABLE narrow (id bigint PRIMARY KEY, t varchar(10), extra text)");
  await pair.to.query("CREATE TABLE narrow (id int PRIMARY KEY, t varchar(5), needed int NOT NULL)");
  const { code, refusals, message } = await refusal();
  expect(code).toBe("REFUSED");
  expect(refusals).toMatchObject([
    { table: "public.missing" },
    { table: "public.narrow", column: "id", reason: "bigint does not fit into integer without a loss" },
    { table: "public.narrow", column: "t" },
    { table: "public.narrow", column: "extra", reason: "the target has no such column" },
    { table: "public.narrow", column: "needed" },
  ]);
  expect(message).toContain("nothing was changed");
  expect((await refusal({ tables: ["nobody"] })).refusals).toEqual([
    { table: "nobody", reason: "the source has no such table" },
  ]);
  expect((await refusal({ to: pair.from, tables: ["missing"] })).message).toContain("the same database");
  expect((await pair.to.query("SELECT FROM pg_class WHERE relname LIKE 'mirrorpool%'")).rowCount).toBe(0);
});

test("a target with rows is refused, or replaced when that is asked for", async () => {
  await pair.both("CREATE TABLE a (id int PRIMARY KEY)", "CREATE TABLE b (id int PRIMARY KEY REFERENCES a)");
  await pair.both("INSERT INTO a VALUES (1)", "INSERT INTO b VALUES (1)");
  await pair.from.query("INSERT INTO a VALUES (2)");
  expect((await refusal()).refusals.map(({ table }) => table)).toEqual(["public.a", "public.b"]);
  await copy({ from: pair.from, to: pair.to, into: "replace" });
  expect(await contentOf(pair.to, "a")).toBe(await contentOf(pair.from, "a"));
});

test("a target that has most of it already gets what differs, chunk by chunk", async () => {
  await pair.both("CREATE TABLE t (id int PRIMARY KEY, n int)", "CREATE TABLE bag (n int)");
  await pair.both("INSERT INTO t SELECT n, n FROM generate_series(1, 20000) n", "INSERT INTO bag VALUES (1), (2)");
  await pair.to.query("UPDATE t SET n = 0 WHERE id = 15000");
  await pair.to.query("INSERT INTO t VALUES (-7, 0), (70000, 0)");
  await pair.to.query("DELETE FROM bag WHERE n = 1");
  const { chunks } = await copy({ from: pair.from, to: pair.to, into: "compare", chunkBytes: 65_536 });
  expect(chunks.redone).toBe(4);
  expect(chunks.kept).toBe(chunks.total - 4);
  for (const table of ["t", "bag"]) expect(await contentOf(pair.to, table)).toBe(await contentOf(pair.from, table));
});

test("no table, no row and wider types are nothing special", async () => {
  await pair.from.query("CREATE TABLE empty (id int PRIMARY KEY, t varchar(5), i int)");
  await pair.to.query("CREATE TABLE empty (id bigint PRIMARY KEY, t text, i numeric, more text DEFAULT 'x')");
  expect(await copy({ from: pair.from, to: pair.to })).toMatchObject({ rows: 0, tables: 1 });
  await pair.from.query("INSERT INTO empty VALUES (1, 'a', 2)");
  await copy({ from: pair.from, to: pair.to });
  expect((await pair.to.query("SELECT id::text, t, i::text, more FROM empty")).rows).toEqual([
    { id: "1", t: "a", i: "2", more: "x" },
  ]);
});

test("a role that owns nothing on the target writes parents before their children, and is refused circles", async () => {
  await pair.both(
    "CREATE TABLE a_child (id int PRIMARY KEY, parent int NOT NULL)",
    "CREATE TABLE z_parent (id int PRIMARY KEY)",
    "ALTER TABLE a_child ADD FOREIGN KEY (parent) REFERENCES z_parent",
  );
  await pair.from.query("INSERT INTO z_parent SELECT generate_series(1, 20000)");
  await pair.from.query("INSERT INTO a_child SELECT n, n FROM generate_series(1, 20000) n");
  const node = pair.target.primary();
  await node.query("CREATE ROLE loader LOGIN PASSWORD 'loading'");
  await node.query("GRANT CREATE, USAGE ON SCHEMA public TO loader");
  await node.query("GRANT ALL ON ALL TABLES IN SCHEMA public TO loader");
  await using to = createPool({ driver: postgres(), nodes: [node.url.replace("app:secret", "loader:loading")] });
  await copy({ from: pair.from, to, chunkBytes: 65_536 });
  expect(await contentOf(pair.to, "a_child")).toBe(await contentOf(pair.from, "a_child"));
  await pair.both("ALTER TABLE z_parent ADD COLUMN head int REFERENCES a_child");
  const error = await refusal({ to, job: "again", into: "replace" });
  expect(error.refusals.map(({ table }) => table).sort()).toEqual(["public.a_child", "public.z_parent"]);
});

test("progress is told, with an end", async () => {
  await pair.both("CREATE TABLE t (id int PRIMARY KEY)");
  await pair.from.query("INSERT INTO t SELECT generate_series(1, 50000)");
  const told: Progress[] = [];
  await copy({ from: pair.from, to: pair.to, chunkBytes: 65_536, onProgress: (progress) => told.push(progress) });
  expect(told.at(-1)).toMatchObject({ phase: "done", rows: 50_000 });
  const { chunks } = told.at(-1) as Progress;
  expect(chunks.done).toBe(chunks.total);
});

test("a row of the target's own constraint ends the copy with the server's error, and leaves nothing half done", async () => {
  await pair.both("CREATE TABLE t (id int PRIMARY KEY, n int)");
  await pair.to.query("ALTER TABLE t ADD CHECK (n < 19999)");
  await pair.from.query("INSERT INTO t SELECT n, n FROM generate_series(1, 20000) n");
  await expect(copy({ from: pair.from, to: pair.to, chunkBytes: 65_536 })).rejects.toMatchObject({ code: "23514" });
  await pair.to.query("ALTER TABLE t DROP CONSTRAINT t_n_check");
  const report = await copy({ from: pair.from, to: pair.to, chunkBytes: 65_536 });
  expect(report.chunks.kept).toBeGreaterThan(0);
  expect(await contentOf(pair.to, "t")).toBe(await contentOf(pair.from, "t"));
});

test.each([
  ["connections", { connections: 0 }, "connections: expected a whole number from 1 to 64, got 0"],
  ["a URL in place of a pool", { to: "postgres://u:secret@h/d" }, "to: expected a pool of createPool(), got a string"],
  ["an unknown option", { tabels: [] }, "tabels: expected one of"],
  ["no table", { tables: [] }, "tables: expected a list of patterns or names, got an array of 0"],
])("options are checked: %s", async (_, wrong, message) => {
  await expect(copy({ from: pair.from, to: pair.to, ...wrong } as never)).rejects.toThrow(message);
});
