import { CommitUnknownError, type FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { createPool } from "@mirrorpool/mysql2";
import type mysql2 from "mysql2";
import type promises from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { servers } from "../server.ts";
import { failOver, leases, mend, openCore, prepare, rejection, soon, until } from "./support.ts";

/** The numbers from 0 to 9: what MariaDB and MySQL have in common to count by. */
const digits = (name: string): string =>
  `(SELECT 0 AS n ${Array.from({ length: 9 }, (_, index) => `UNION ALL SELECT ${index + 1}`).join(" ")}) AS ${name}`;

describe.each(servers)("on %s", (server) => {
  let cluster: LabCluster;
  let core: FailoverPool;
  let plain: mysql2.Pool;
  let pool: promises.Pool;

  beforeAll(async () => {
    cluster = await createCluster({ server, mirrors: 2, synchronous: true });
    await prepare(
      cluster,
      "CREATE TABLE booking (id int PRIMARY KEY)",
      "CREATE TABLE much (id int PRIMARY KEY)",
      `INSERT INTO much SELECT a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n
       FROM ${digits("a")}, ${digits("b")}, ${digits("c")}, ${digits("d")}, ${digits("e")} WHERE e.n < 2`,
      openCore(cluster).ledgerSchema(),
    );
  });
  afterAll(() => cluster?.close());

  beforeEach(() => begin(false));

  async function begin(exactlyOnce: boolean): Promise<() => Promise<void>> {
    core = openCore(cluster, { exactlyOnce });
    await core.start();
    await until("all nodes to be seen", () => core.topology().nodes.every(({ status }) => status === "up"));
    plain = createPool({ mirrorpool: core });
    pool = plain.promise();
    await pool.query("DELETE FROM booking");
    await cluster.caughtUp();
    const [opened, openedCore] = [pool, core];
    return async () => {
      try {
        await soon("the end of the pool", opened.end());
        await until("the last lease to end", () => leases(openedCore) === 0);
      } finally {
        await openedCore.close();
        await mend(cluster);
      }
    };
  }

  const rows = async (): Promise<unknown> => (await pool.query("SELECT id FROM booking ORDER BY id"))[0];

  /** Resolves when a statement of the application with this text runs, with the node. */
  const running = (text: string) =>
    until("the statement to run", async () => {
      const sql = "SELECT 1 FROM information_schema.PROCESSLIST WHERE user = 'app' AND info LIKE ? LIMIT 1";
      for (const node of cluster.nodes) if ((await node.query(sql, [`%${text}%`])).length > 0) return node;
      return undefined;
    });

  test("idle connections survive the death of every node they were on, and no error event is seen", async () => {
    const errors: unknown[] = [];
    plain.on("connection", (connection) => connection.on("error", (error) => errors.push(error)));
    await Promise.all([1, 2, 3].map((id) => pool.query("INSERT INTO booking VALUES (?)", [id])));
    await cluster.caughtUp();
    await failOver(cluster);
    await until("the failover to be seen", () => core.stats().epoch > 1);
    await pool.query("INSERT INTO booking VALUES (4)");
    expect((await pool.query("SELECT count(*) AS n FROM booking"))[0]).toEqual([{ n: 4 }]);
    expect(errors).toEqual([]);
  });

  test("a connection on loan goes on after a failover between two statements", async () => {
    const connection = await pool.getConnection();
    await connection.query("SET @mine = 7");
    await connection.query("INSERT INTO booking VALUES (1)");
    await cluster.caughtUp();
    await failOver(cluster);
    await until("the failover to be seen", () => core.stats().epoch > 1);
    await connection.query("INSERT INTO booking VALUES (@mine)");
    expect((await connection.query("SELECT id FROM booking ORDER BY id"))[0]).toEqual([{ id: 1 }, { id: 7 }]);
    connection.release();
  });

  test("a read that is running when its node dies is run again on another one", async () => {
    const reading = pool.query("SELECT SLEEP(1) AS slept, count(*) AS n FROM booking");
    const node = await running("SLEEP(1)");
    await node.kill();
    if (!cluster.primary().isRunning) await cluster.promote(await cluster.mostAdvancedMirror());
    expect((await soon("the read", reading))[0]).toMatchObject([{ n: 0 }]);
  });

  test("a write whose answer was lost is never run again, and says so", async () => {
    const writing = rejection(pool.query("INSERT INTO booking SELECT 7 + SLEEP(60)"));
    await running("7 + SLEEP");
    await failOver(cluster);
    expect(await soon("the write", writing)).toBeInstanceOf(CommitUnknownError);
    expect(await rows()).toEqual([]);
  });

  test("a stream that has begun is never restarted", async () => {
    const connection = await pool.getConnection();
    const stream = (connection as unknown as { connection: mysql2.PoolConnection }).connection
      .query("SELECT id, REPEAT('x', 5000) AS filler FROM much")
      .stream();
    const error = rejection(
      (async () => {
        let seen = 0;
        for await (const _ of stream) {
          seen += 1;
          if (seen === 10) await (await running("AS filler")).kill();
        }
      })(),
    );
    expect(await soon("the stream", error)).toMatchObject({ code: "STREAM_LOST" });
    connection.release();
  });

  describe("with the commit ledger", () => {
    beforeEach(() => begin(true));

    test("an open transaction is run again, and the application sees nothing of the failover", async () => {
      const connection = await pool.getConnection();
      await connection.beginTransaction();
      const [header] = await connection.query("INSERT INTO booking VALUES (?)", [11]);
      await failOver(cluster);
      await connection.query("INSERT INTO booking VALUES (?)", [12]);
      await connection.commit();
      connection.release();
      expect(header).toMatchObject({ affectedRows: 1 });
      expect(await rows()).toEqual([{ id: 11 }, { id: 12 }]);
    });

    test.each(["query", "execute"] as const)(
      "a single write in flight by %s has exactly one effect",
      async (method) => {
        const text = "INSERT INTO booking SELECT 21 + SLEEP(1)";
        const writing = method === "query" ? pool.query(text) : pool.execute(text);
        await running("21 + SLEEP");
        await failOver(cluster);
        expect((await soon("the write", writing))[0]).toMatchObject({ affectedRows: 1 });
        expect(await rows()).toEqual([{ id: 21 }]);
      },
    );
  });
});
