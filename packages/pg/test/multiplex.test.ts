import { setTimeout as sleep } from "node:timers/promises";
import { createPool, type FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { rejection } from "./server.ts";

let cluster: LabCluster;
let pool: FailoverPool;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
});
beforeEach(async () => {
  pool = createPool({
    driver: postgres({ preparedStatements: { after: 2 } }),
    nodes: cluster.urls,
    pool: { max: 4 },
    routing: { readFrom: "primary" },
  });
  await pool.start();
  await pool.query("CREATE TABLE IF NOT EXISTS thing (id int PRIMARY KEY)");
  await pool.query("INSERT INTO thing SELECT generate_series(1, 1000) ON CONFLICT DO NOTHING");
});
afterEach(() => pool?.close());
afterAll(() => cluster?.close());

/** Takes as long as it is told: some 100 ns for each of `$2`. */
const BY_ID = "SELECT id, (SELECT count(*) FROM generate_series(1, $2::int)) AS count FROM thing WHERE id = $1";
const SLOW = 20_000_000;
const byId = async (id: number, work = 1): Promise<{ id: number } | undefined> =>
  (await pool.query<{ id: number }>(BY_ID, [id, work])).rows[0];
const many = (count: number): Promise<({ id: number } | undefined)[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => byId(index + 1)));

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await isSo())) {
    if (performance.now() >= deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(50);
  }
}

const primary = () => pool.stats().nodes[pool.topology().primary ?? ""];

async function warmUp(): Promise<void> {
  for (let index = 0; index < 8; index += 1) await byId(1);
  await many(8);
}

test("fast reads share connections, and each gets its own answer", async () => {
  await warmUp();
  for (let round = 0; round < 20; round += 1) {
    const rows = await many(100);
    expect(rows.map((row) => row?.id)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  }
  // on a busy machine they may have been slow, and have to prove themselves again
  await until("60 reads at once of which none waits for a connection", async () => {
    const running = many(60);
    await sleep(0);
    const waiting = primary()?.waiting;
    await running;
    return waiting === 0;
  });
  expect(primary()).toMatchObject({ inUse: 0, waiting: 0 });
});

test("a slow one does not hold up the fast ones behind it for long", async () => {
  await warmUp();
  const filler = many(4);
  let hasEnded = false;
  const slow = byId(5, SLOW).finally(() => {
    hasEnded = true;
  });
  await Promise.all([filler, many(30)]);
  expect(hasEnded).toBe(false);
  expect((await slow)?.id).toBe(5);
});

test("reads of a far node share connections as well, and a slow one there has one to itself", async () => {
  await cluster.primary().proxy.latency(10);
  try {
    await using far = createPool({
      driver: postgres({ preparedStatements: { after: 2 } }),
      nodes: cluster.urls,
      pool: { max: 4 },
      routing: { readFrom: "primary" },
    });
    await far.start();
    const read = async (work: number): Promise<unknown> => (await far.query(BY_ID, [1, work])).rows[0]?.["id"];
    const node = () => far.stats().nodes[far.topology().primary ?? ""];
    // how far it is the probes tell, and how fast the statement is its first runs
    await until("reads to share connections", async () => {
      await Promise.all(Array.from({ length: 6 }, () => read(1)));
      const running = Promise.all(Array.from({ length: 60 }, () => read(1)));
      await sleep(0);
      const isShared = node()?.waiting === 0;
      await running;
      return isShared;
    });
    const slow = read(SLOW);
    expect(await Promise.all(Array.from({ length: 30 }, () => read(1)))).toEqual(Array(30).fill(1));
    expect(await slow).toBe(1);
  } finally {
    await cluster.primary().proxy.heal();
  }
});

test("fast reads do not wait in line behind slow statements", async () => {
  await warmUp();
  const ended: string[] = [];
  const slow = Array.from({ length: 24 }, () =>
    pool.query("SELECT pg_sleep(0.2) FROM thing WHERE id = 1 FOR SHARE").then(() => ended.push("slow")),
  );
  await sleep(10);
  const fast = Array.from({ length: 20 }, () => byId(1).then(() => ended.push("fast")));
  await Promise.all([...slow, ...fast]);
  expect(ended.lastIndexOf("fast")).toBeLessThan(20 + 12);
});

test("the end of one call disturbs none of its neighbours", async () => {
  await warmUp();
  for (let round = 0; round < 5; round += 1) {
    const filler = many(3);
    const slow = rejection(pool.query(BY_ID, [5, 100 * SLOW], { timeoutMs: 20 }));
    const rows = await Promise.all([filler, many(30)]);
    expect(rows[1].map((row) => row?.id)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    // the statement may have shown to be slow, and have waited for a connection to itself
    expect(["DEADLINE", "ACQUIRE_TIMEOUT"]).toContain(((await slow) as { code?: string }).code);
    await warmUp();
  }
});

test("an error of one is an error of that one alone", async () => {
  const divide = async (by: number): Promise<unknown> =>
    (await pool.query("SELECT 10 / $1::int AS n", [by])).rows[0]?.["n"];
  for (let index = 0; index < 8; index += 1) await divide(1);
  for (let round = 0; round < 10; round += 1) {
    const answers = await Promise.allSettled(Array.from({ length: 40 }, (_, index) => divide(index % 4)));
    answers.forEach((answer, index) => {
      if (index % 4 === 0) expect(answer).toMatchObject({ reason: { code: "22012" } });
      else expect(answer).toMatchObject({ value: Math.trunc(10 / (index % 4)) });
    });
  }
});

test("a cut connection costs its reads nothing but time", async () => {
  await warmUp();
  for (let round = 0; round < 5; round += 1) {
    const running = many(60);
    cluster.primary().proxy.dropConnections();
    expect((await running).map((row) => row?.id)).toEqual(Array.from({ length: 60 }, (_, index) => index + 1));
    await warmUp();
  }
});

test("whoever needs a connection of his own gets one while reads go on and on", async () => {
  await warmUp();
  let isOver = false;
  const readers = Array.from({ length: 40 }, async () => {
    while (!isOver) await byId(1);
  });
  await Promise.all(
    Array.from({ length: 12 }, () =>
      pool.transaction(async (transaction) => {
        await transaction.query("UPDATE thing SET id = id WHERE id = 7");
        await sleep(5);
      }),
    ),
  );
  isOver = true;
  await Promise.all(readers);
});

test("of very many readers none is passed by again and again, nor is whoever needs a connection of his own", async () => {
  await warmUp();
  const counts = Array.from({ length: 600 }, () => 0);
  let isOver = false;
  const readers = counts.map(async (_, reader) => {
    while (!isOver) {
      await byId(1 + reader);
      counts[reader] = (counts[reader] ?? 0) + 1;
    }
  });
  await Promise.all(Array.from({ length: 12 }, () => pool.query("UPDATE thing SET id = id WHERE id = 7")));
  await until("everybody's third answer", async () => Math.min(...counts) >= 3);
  isOver = true;
  await Promise.all(readers);
  expect(Math.max(...counts)).toBeLessThan(30 * Math.min(...counts));
});

test("a session that reads on shared connections still has its settings and transactions to itself", async () => {
  await warmUp();
  await Promise.all(
    Array.from({ length: 20 }, async (_, index) => {
      await using session = await pool.connect();
      await session.query(BY_ID, [1, 1]);
      await session.query(`SET work_mem = '${index + 1}MB'`);
      await session.query(BY_ID, [1, 1]);
      expect((await session.query("SHOW work_mem")).rows).toEqual([{ work_mem: `${index + 1}MB` }]);
    }),
  );
});

test("a table that changes under statements that are under way is no error", async () => {
  const all = async (): Promise<unknown> => (await pool.query("SELECT * FROM thing WHERE id = $1", [1])).rows.length;
  for (let index = 0; index < 8; index += 1) await all();
  for (let round = 0; round < 3; round += 1) {
    const running = Array.from({ length: 50 }, all);
    await pool.query(`ALTER TABLE thing ADD COLUMN added_${round} int`);
    expect(await Promise.all([...running, ...Array.from({ length: 50 }, all)])).toEqual(Array(100).fill(1));
  }
});
