import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setImmediate } from "node:timers/promises";
import { DeadlineError, type FailoverPool, OptionsError, type StatementOptions } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { mend } from "./support/cluster.ts";
import { rejection } from "./support/outcome.ts";
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

const SELECT_PORT = "SELECT port FROM whoami";
const isByMirror = async (pool: FailoverPool, options: StatementOptions = {}): Promise<boolean> => {
  const { rows } = await pool.query<{ port: number }>(SELECT_PORT, [], options);
  return cluster.mirrors().some(({ directPort }) => directPort === rows[0]?.port);
};

test("a context sees what it has written, and others go on reading from mirrors that lag", async () => {
  await using pool = openPool(cluster, { routing: { consistency: "context" } });
  await pool.start();
  await lagAll(true);
  let tellWritten = (): void => {};
  const isWritten = new Promise<void>((resolve) => {
    tellWritten = resolve;
  });
  const writer = pool.inContext(async () => {
    await setImmediate();
    await pool.transaction(async (tx) => void (await tx.query("INSERT INTO page VALUES (400)")));
    tellWritten();
    expect((await pool.query("SELECT id FROM page WHERE id = 400")).rows).toHaveLength(1);
    expect(await isByMirror(pool)).toBe(false);
  });
  const reader = pool.inContext(async () => {
    await isWritten;
    expect(await isByMirror(pool)).toBe(true);
    expect((await pool.query("SELECT id FROM page WHERE id = 400")).rows).toHaveLength(0);
  });
  await Promise.all([writer, reader]);
  // outside of any it is the process that counts
  expect((await pool.query("SELECT id FROM page WHERE id = 400")).rows).toHaveLength(1);
});

test("each request of a server is a context of its own, by one line of middleware", async () => {
  await using pool = openPool(cluster, { routing: { consistency: "context" } });
  await pool.start();
  await lagAll(true);
  const server = createServer((request, response) =>
    pool.inContext(async () => {
      if (request.method === "POST") await pool.query("INSERT INTO page VALUES (450)");
      response.end(String((await pool.query("SELECT id FROM page WHERE id = 450")).rows.length));
    }),
  );
  try {
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    expect(await (await fetch(url, { method: "POST" })).text()).toBe("1");
    expect(await (await fetch(url)).text()).toBe("0");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("a mirror that is not yet fresh is waited for, and then it answers", async () => {
  await using pool = openPool(cluster, { routing: { consistency: "context", freshWaitMs: 10_000 } });
  await pool.start();
  for (let id = 500; id < 510; id += 1) {
    await pool.inContext(async () => {
      await pool.query("INSERT INTO page VALUES ($1)", [id]);
      expect(await isByMirror(pool)).toBe(true);
      expect((await pool.query("SELECT id FROM page WHERE id = $1", [id])).rows).toEqual([{ id }]);
    });
  }
});

test("with a token another process sees what this one has written", async () => {
  await using here = openPool(cluster);
  await using there = openPool(cluster, { routing: { freshWaitMs: 10_000 } });
  await Promise.all([here.start(), there.start()]);
  expect(await here.freshnessToken()).toBeUndefined();
  await here.query("INSERT INTO page VALUES (600)");
  const freshAs = (await here.freshnessToken()) ?? "";
  expect(freshAs).toMatch(/^[\w-]{10,200}$/);
  expect((await there.query("SELECT id FROM page WHERE id = 600", [], { freshAs })).rows).toHaveLength(1);
  expect(await isByMirror(there, { freshAs })).toBe(true);

  await lagAll(true);
  await here.query("INSERT INTO page VALUES (601)");
  const newer = (await here.freshnessToken()) ?? "";
  const impatient = { freshAs: newer };
  await using other = openPool(cluster, { routing: { consistency: "context", freshWaitMs: 10 } });
  await other.start();
  expect((await other.query("SELECT id FROM page WHERE id = 601", [], impatient)).rows).toHaveLength(1);
  await other.inContext(async () => {
    expect((await other.query("SELECT id FROM page WHERE id = 601")).rows).toHaveLength(1);
    expect(await other.freshnessToken()).toBe(newer);
  }, impatient);
});

test("a token that is none, or another cluster's, is refused", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  expect(await rejection(pool.query("SELECT 1", [], { freshAs: "x" }))).toBeInstanceOf(OptionsError);
  await using stranger = await createCluster({ mirrors: 0 });
  await using strangers = openPool(stranger);
  await strangers.query("CREATE TABLE page (id int)");
  const freshAs = await strangers.freshnessToken();
  expect(() => pool.inContext(() => {}, { freshAs })).toThrow(/freshAs: expected a token/);
});

test("no token is given while there is no primary to take it from", async () => {
  await using pool = openPool(cluster);
  await pool.query("INSERT INTO page VALUES (700)");
  await cluster.primary().kill();
  const error = await rejection(pool.freshnessToken({ timeoutMs: 300 }));
  expect(error).toBeInstanceOf(DeadlineError);
});
