import { setTimeout as sleep } from "node:timers/promises";
import { createPool, type FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { mysql } from "@mirrorpool/mysql2";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { rejection, servers } from "./server.ts";

/** Takes as long as it is told: the third power of its first value in rows. */
const BY_ID = `SELECT id, (SELECT COUNT(*) FROM thing a, thing b, thing c
  WHERE a.id <= ? AND b.id <= a.id + 0 * c.id AND c.id <= ?) AS count FROM thing WHERE id = ?`;
const FAST = 1;
const ENDLESS = 1000;

describe.each(servers)("reads of a pool on %s", (server) => {
  let cluster: LabCluster;
  let pool: FailoverPool;

  beforeAll(async () => {
    cluster = await createCluster({ server, mirrors: 1 });
    const setup = createPool({ driver: mysql(), nodes: cluster.urls });
    await setup.query("CREATE TABLE thing (id int PRIMARY KEY)");
    await setup.query(
      `INSERT INTO thing VALUES ${Array.from({ length: 1000 }, (_, index) => `(${index + 1})`).join()}`,
    );
    await setup.close();
    await cluster.caughtUp();
  });
  beforeEach(async () => {
    pool = createPool({
      driver: mysql(),
      nodes: cluster.urls,
      pool: { max: 4 },
      routing: { readFrom: "primary" },
    });
    await pool.start();
  });
  afterEach(() => pool?.close());
  afterAll(() => cluster?.close());

  const byId = async (id: number): Promise<number | undefined> =>
    (await pool.query<{ id: number }>(BY_ID, [FAST, FAST, id])).rows[0]?.id;
  const ids = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
  const many = (count: number): Promise<(number | undefined)[]> => Promise.all(ids(count).map(byId));
  const primary = () => pool.stats().nodes[pool.topology().primary ?? ""];

  async function warmUp(): Promise<void> {
    for (let index = 0; index < 8; index += 1) await byId(1);
    await many(8);
  }

  test("share connections, and each gets its own answer", async () => {
    await warmUp();
    for (let round = 0; round < 10; round += 1) expect(await many(100)).toEqual(ids(100));
    // on a busy machine they may have been slow, and have to prove themselves again
    const deadline = performance.now() + 20_000;
    for (let waiting: number | undefined = 1; waiting !== 0; ) {
      if (performance.now() > deadline) throw new Error("waited in vain for reads that share");
      const running = many(60);
      await sleep(0);
      waiting = primary()?.waiting;
      await running;
    }
    expect(primary()).toMatchObject({ inUse: 0, waiting: 0 });
  });

  test("the end of one call disturbs none of its neighbours", async () => {
    await warmUp();
    for (let round = 0; round < 3; round += 1) {
      const filler = many(3);
      const slow = rejection(pool.query(BY_ID, [ENDLESS, ENDLESS, 5], { timeoutMs: 30 }));
      expect(await Promise.all([filler, many(30)])).toEqual([ids(3), ids(30)]);
      // the statement may have shown to be slow, and have waited for a connection to itself
      expect(["DEADLINE", "ACQUIRE_TIMEOUT"]).toContain(((await slow) as { code?: string }).code);
      await warmUp();
    }
  });

  test("a cut connection costs its reads nothing but time", async () => {
    await warmUp();
    for (let round = 0; round < 5; round += 1) {
      const running = many(60);
      cluster.primary().proxy.dropConnections();
      expect(await running).toEqual(ids(60));
      await warmUp();
    }
  });

  test("writes and transactions have a connection to themselves meanwhile", async () => {
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

  test("a session that reads on shared connections still has its settings to itself", async () => {
    await warmUp();
    await Promise.all(
      ids(20).map(async (id) => {
        await using session = await pool.connect();
        await session.query(BY_ID, [FAST, FAST, id]);
        await session.query(`SET @mine = ${id}`);
        await session.query(BY_ID, [FAST, FAST, id]);
        expect((await session.query("SELECT @mine AS mine")).rows).toEqual([{ mine: id }]);
      }),
    );
  });
});
