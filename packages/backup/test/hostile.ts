import type { LabNode } from "@mirrorpool/lab";

/** Definitions and rows of all kinds that a backup has to bring through, as the application's role makes them. */
const definitions = `
CREATE SCHEMA sales;
CREATE TYPE sales.mood AS ENUM ('sad', 'ok', 'it''s "fine"');
CREATE DOMAIN sales.positive AS int CHECK (VALUE > 0);
CREATE TABLE sales.customer (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, mood sales.mood,
  name_length int GENERATED ALWAYS AS (length(name)) STORED);
CREATE TABLE sales.orders (
  id serial PRIMARY KEY, customer bigint NOT NULL REFERENCES sales.customer ON DELETE CASCADE,
  amount sales.positive, note text, UNIQUE (customer, id));
CREATE INDEX orders_note ON sales.orders (lower(note)) WHERE note IS NOT NULL;
CREATE TABLE "we ""ird
	; --table😀" ("col ""1" int, "select" text, "a
b" text);
CREATE TABLE "no key" (a int, b text);
CREATE TABLE empty_one (id int PRIMARY KEY);
CREATE TABLE no_columns ();
CREATE TABLE types (
  id int PRIMARY KEY, b boolean, i8 bigint, n numeric, f4 real, f8 double precision, t text, c char(5), by bytea,
  d date, ts timestamp, tz timestamptz, tm time, iv interval, u uuid, j json, jb jsonb, arr int[], ta text[], ip inet, r int4range, bt bit varying, pt point, x xml, rc regclass);
CREATE TABLE measured (at date NOT NULL, value int) PARTITION BY RANGE (at);
CREATE TABLE measured_2025 PARTITION OF measured FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE measured_rest PARTITION OF measured DEFAULT;
CREATE INDEX ON measured (at);
CREATE TABLE parent (id int, kind text);
CREATE TABLE child (extra text) INHERITS (parent);
CREATE SEQUENCE counter START 10 INCREMENT 5;
CREATE VIEW sales.totals AS SELECT customer, sum(amount) AS total FROM sales.orders GROUP BY customer;
CREATE MATERIALIZED VIEW sales.summary AS SELECT * FROM sales.totals;
CREATE UNIQUE INDEX ON sales.summary (customer);
CREATE FUNCTION shout() RETURNS trigger LANGUAGE plpgsql AS $x$ BEGIN NEW.note := upper(NEW.note); -- ; $y$
  RETURN NEW; END $x$;
CREATE TRIGGER shout BEFORE INSERT ON sales.orders FOR EACH ROW EXECUTE FUNCTION shout();
`;

const rows = `
INSERT INTO sales.customer (name, mood) SELECT 'customer ' || i, (enum_range(NULL::sales.mood))[1 + i % 3] FROM generate_series(1, 500) AS i;
INSERT INTO sales.orders (customer, amount, note)
  SELECT 1 + i % 500, i, CASE WHEN i % 7 = 0 THEN NULL ELSE 'note ' || i END FROM generate_series(1, 20000) AS i;
UPDATE sales.orders SET note = 'as it is' WHERE id % 3 = 0;
DELETE FROM sales.orders WHERE id % 11 = 0;
INSERT INTO "we ""ird
	; --table😀" VALUES (1, E'back\\\\slash\\ttab\\nline\\rreturn', '\\.'), (2, '\\N', NULL), (3, '', '😀');
INSERT INTO "no key" SELECT 1, 'same' FROM generate_series(1, 1000);
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO no_columns DEFAULT VALUES;
INSERT INTO types VALUES
  (1, true, 9223372036854775807, 'NaN', 3.4028235e38, 1.7976931348623157e308, repeat('x', 100000), 'ab', '\\x00ff0a5c', 'infinity', '-infinity',
   '0044-03-15 12:00:00 BC', '24:00:00', '-178000000 years', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '{"a" :1,"a":2}', '{"b":1e400}', '{1,NULL}', '{"a,b","\\"",NULL}',
   '10.0.0.0/8', '[1,)', B'101', '(1,2)', '<a>&lt;</a>', 'sales.orders'),
  (2, false, -9223372036854775808, 0.000000000000000000000000001, '-Infinity', 5e-324, E'\\u0001\\n', '', '', '0001-01-01', '294276-12-31 23:59:59.999999',
   'infinity', '00:00:00.000001', '1 mon -1 day 00:00:00.1', '00000000-0000-0000-0000-000000000000', 'null', 'null', '{}', '{}', '::1', 'empty', B'', '(0,-0)', '', 'pg_class'),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO measured SELECT date '2025-06-01' + i, i FROM generate_series(1, 400) AS i;
INSERT INTO parent VALUES (1, 'parent');
INSERT INTO child VALUES (2, 'child', 'more');
SELECT setval('counter', 35);
REFRESH MATERIALIZED VIEW sales.summary;
`;

/** Tables that hold rows of their own. */
const tables: readonly string[] = [
  "sales.customer",
  "sales.orders",
  '"we ""ird\n\t; --table😀"',
  '"no key"',
  "empty_one",
  "types",
  "measured_2025",
  "measured_rest",
  "parent",
  "child",
  "sales.summary",
];

/** Makes it all, as the application's role. */
export async function makeHostile(query: (text: string) => Promise<unknown>): Promise<void> {
  await query(definitions);
  await query(rows);
}

/** What a client would find: of each table how many rows, and a digest of all of them. */
export async function contents(node: LabNode): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const table of tables) {
    const [row] = await node.query(
      `SELECT count(*)::int AS count, md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE "C"), '')) AS digest FROM ONLY ${table} AS t`,
    );
    found[table] = row;
  }
  found["no_columns"] = await node.query("SELECT count(*)::int AS count FROM no_columns");
  found["sequences"] = await node.query(
    "SELECT schemaname, sequencename, last_value::text FROM pg_sequences ORDER BY 1, 2",
  );
  return found;
}
