import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { mend } from "./support/cluster.ts";
import { openPool } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE page (id int PRIMARY KEY, filler text)");
  await pool.query("CREATE VIEW whoami AS SELECT current_setting('port')::int AS port");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

async function lagAll(isOn: boolean): Promise<void> {
  for (const mirror of cluster.mirrors()) await mirror.lag(isOn);
}

test("a read after a write of this process sees it, however far the mirrors are behind", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  await lagAll(true);
  for (let id = 0; id < 50; id += 1) {
    await pool.query("INSERT INTO page VALUES ($1)", [id]);
    expect((await pool.query("SELECT id FROM page WHERE id = $1", [id])).rows).toEqual([{ id }]);
  }
});

test("a read after a transaction, or in the session that wrote, sees what was written", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  await lagAll(true);
  await pool.transaction(async (tx) => void (await tx.query("INSERT INTO page VALUES (100)")));
  expect((await pool.query("SELECT id FROM page WHERE id = 100")).rows).toHaveLength(1);
  await using session = await pool.connect();
  await session.query("INSERT INTO page VALUES (101)");
  expect(
    (await session.query("SELECT id FROM page WHERE id = 101", [], { consistency: "eventual" })).rows,
  ).toHaveLength(1);
});

test("mirrors answer again when they have caught up", async () => {
  await using pool = openPool(cluster);
  await pool.query("INSERT INTO page VALUES (200)");
  await cluster.caughtUp();
  const mirrorPorts = cluster.mirrors().map((mirror) => mirror.directPort);
  await until("a mirror to answer", async () =>
    mirrorPorts.includes((await pool.query<{ port: number }>("SELECT port FROM whoami")).rows[0]?.port ?? 0),
  );
});

test("strong reads are the primary's, eventual ones the mirrors'", async () => {
  await using pool = openPool(cluster);
  await pool.query("INSERT INTO page VALUES (300)");
  await lagAll(true);
  await pool.query("INSERT INTO page VALUES (301)");
  for (let i = 0; i < 10; i += 1) {
    const strong = await pool.query("SELECT id FROM page WHERE id = 301", [], { consistency: "strong" });
    expect(strong.rows).toHaveLength(1);
    const eventual = await pool.query("SELECT id FROM page WHERE id = 301", [], { consistency: "eventual" });
    expect(eventual.rows).toHaveLength(0);
  }
});

test("a mirror that is more bytes behind than allowed gets no reads", async () => {
  await using pool = openPool(cluster, { routing: { consistency: "eventual", maxLagBytes: 100_000 } });
  await pool.start();
  const [slow, quick] = cluster.mirrors();
  await slow?.lag(true);
  await pool.query("INSERT INTO page SELECT n, repeat('x', 1000) FROM generate_series(1000, 1400) AS n");
  await until("the lag to be seen", () => {
    const nodes = pool.topology().nodes;
    return (
      (nodes.find(({ id }) => id === slow?.name)?.lagBytes ?? 0) > 100_000 &&
      nodes.find(({ id }) => id === quick?.name)?.lagBytes === 0
    );
  });
  for (let i = 0; i < 30; i += 1) {
    expect((await pool.query("SELECT count(*)::int FROM page WHERE id BETWEEN 1000 AND 1400")).rows).toEqual([
      { count: 401 },
    ]);
  }
  await slow?.lag(false);
  await until(
    "the mirror to have caught up",
    () => pool.topology().nodes.find(({ id }) => id === slow?.name)?.lagBytes === 0,
  );
});

test("a mirror that is behind for longer than allowed gets no reads", async () => {
  await using pool = openPool(cluster, { routing: { consistency: "eventual", maxLagMs: 600 } });
  await pool.start();
  const [slow] = cluster.mirrors();
  await slow?.lag(true);
  await pool.query("INSERT INTO page VALUES (2000)");
  await until(
    "the lag to be seen",
    () => (pool.topology().nodes.find(({ id }) => id === slow?.name)?.lagMs ?? 0) > 600,
  );
  for (let i = 0; i < 30; i += 1) {
    expect((await pool.query("SELECT id FROM page WHERE id = 2000")).rows).toHaveLength(1);
  }
});

test("a read after a failover sees every write that this process was told of", async () => {
  await using pool = openPool(cluster);
  await pool.query("INSERT INTO page VALUES (3000)");
  await cluster.caughtUp();
  const [next, other] = cluster.mirrors();
  await cluster.primary().kill();
  await cluster.promote(next ?? "");
  await other?.lag(true);
  await pool.query("INSERT INTO page VALUES (3001)");
  for (let i = 0; i < 30; i += 1) {
    expect((await pool.query("SELECT id FROM page WHERE id IN (3000, 3001)")).rows).toHaveLength(2);
  }
});
