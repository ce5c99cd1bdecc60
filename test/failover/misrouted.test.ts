import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { countRows } from "./support/cluster.ts";
import { openPool, record } from "./support/pool.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE visit (note text)");
  await pool.query("CREATE SEQUENCE ticket");
  // looks like the harmless built-in `lower(text)`, but takes something else and writes
  await pool.query("CREATE TYPE page AS (name text)");
  await pool.query(`CREATE FUNCTION lower(p page) RETURNS text LANGUAGE sql VOLATILE
    AS $$ INSERT INTO visit VALUES (p.name) RETURNING note $$`);
  await pool.query("CREATE VIEW next_ticket AS SELECT nextval('ticket')::int AS number");
  await cluster.caughtUp();
});
afterAll(() => cluster?.close());

test("a writing function behind a harmless name runs once, on the primary, and is remembered", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await pool.start();
  const sql = "SELECT lower(ROW('home')::page) AS page";
  expect((await pool.query(sql)).rows).toEqual([{ page: "home" }]);
  expect(events).toContainEqual({ name: "misrouted", node: expect.stringMatching(/node[23]/), command: "SELECT" });
  expect((await pool.query(sql)).rows).toEqual([{ page: "home" }]);
  expect(pool.stats()).toMatchObject({ misrouted: 1, reruns: 0 });
  expect(await countRows(cluster.primary(), "visit", "note = 'home'")).toBe(2);
  expect(events.filter(({ name }) => name === "node-down" || name === "primary-lost")).toEqual([]);
});

test("a view that draws from a sequence gives each number once", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => pool.query<{ number: number }>("SELECT number FROM next_ticket")),
  );
  const numbers = answers.map(({ rows }) => rows[0]?.number).sort((a, b) => Number(a) - Number(b));
  expect(numbers).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
});

test("a session that runs a misrouted write goes on to the primary with it", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  await using session = await pool.connect();
  await session.query("SELECT 1");
  expect((await session.query("SELECT lower(ROW('session')::page) AS page")).rows).toEqual([{ page: "session" }]);
  // read on the primary: a mirror might not have it yet
  expect((await session.query("SELECT note FROM visit WHERE note = 'session'")).rows).toHaveLength(1);
  expect(await countRows(cluster.primary(), "visit", "note = 'session'")).toBe(1);
});

test("a read of this process after a misrouted write sees it", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  for (let i = 0; i < 20; i += 1) {
    await pool.query(`SELECT lower(ROW('own ${i}')::page)`);
    expect((await pool.query(`SELECT note FROM visit WHERE note = 'own ${i}'`)).rows).toHaveLength(1);
  }
});
