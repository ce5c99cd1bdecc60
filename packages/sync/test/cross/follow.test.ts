import { setTimeout as sleep } from "node:timers/promises";
import { compare, type FollowEvent, type Following, follow, JobError } from "@mirrorpool/sync";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { grantReplication, openPlace, type Place, pairsOf } from "./support.ts";

const PAIRS = pairsOf(
  [
    ["mariadb", "mariadb"],
    ["mysql", "postgres"],
  ],
  [
    ["mysql", "mysql"],
    ["mariadb", "mysql"],
    ["postgres", "mariadb"],
    ["postgres", "mysql"],
    ["mariadb", "postgres"],
  ],
);

describe.each(PAIRS)("from %s to %s", (one, other) => {
  let from: Place;
  let to: Place;
  let following: Following | undefined;
  let events: FollowEvent[];

  beforeAll(async () => {
    const settings = one === "postgres" ? { wal_level: "logical" } : {};
    [from, to] = await Promise.all([openPlace(one, 0, { settings }), openPlace(other)]);
    await grantReplication(from);
  });
  beforeEach(async () => {
    events = [];
    await Promise.all([from.clear(), to.clear()]);
    for (const place of [from, to])
      await place.run(
        "CREATE TABLE account (id int PRIMARY KEY, balance decimal(12,2) NOT NULL, note varchar(100))",
        "CREATE TABLE entry (a int, b varchar(20), amount int, big text, account int, PRIMARY KEY (a, b))",
      );
    await from.run(`INSERT INTO account ${numbers(1, 1000, "n, 100, CONCAT('note ', n)")}`);
  });
  afterEach(async () => {
    await following?.remove();
    following = undefined;
  });
  afterAll(async () => {
    await Promise.all([from?.[Symbol.asyncDispose](), to?.[Symbol.asyncDispose]()]);
  });

  /** Rows for numbers, in words that all systems know. */
  function numbers(first: number, last: number, columns: string): string {
    return `WITH RECURSIVE r AS (SELECT ${first} AS n UNION ALL SELECT n + 1 FROM r WHERE n < ${last}) SELECT ${columns} FROM r`;
  }

  const job = (): { from: Place["pool"]; to: Place["pool"] } => ({ from: from.pool, to: to.pool });

  async function start(options: Partial<Parameters<typeof follow>[0]> = {}): Promise<Following> {
    following = await follow({ ...job(), onEvent: (event) => events.push(event), ...options });
    await following.caughtUp({ timeoutMs: 30_000 });
    return following;
  }

  async function expectEqual(): Promise<void> {
    await following?.caughtUp({ timeoutMs: 30_000 });
    expect(await compare({ ...job(), recheckMs: 10 })).toMatchObject({ isEqual: true, differences: [] });
  }

  /** What following has ended with. */
  async function failure(): Promise<JobError> {
    const late = sleep(20_000).then(() => "nothing");
    const error = await Promise.race([following?.ended, late]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(JobError);
    return error as JobError;
  }

  test("what is changed after the copy follows: inserts, updates, deletes, keys, truncates; others' transactions do not", async () => {
    await start();
    await from.run(
      `INSERT INTO entry ${numbers(1, 100, `n, CONCAT('b''"', n), n, ${one === "postgres" ? "repeat(md5(n::text), 300)" : "REPEAT(SHA2(n, 256), 150)"}, n`)}`,
      "UPDATE entry SET amount = amount + 1",
      "UPDATE entry SET a = a + 1000, account = NULL WHERE a < 10",
      "UPDATE account SET id = id + 5000 WHERE id > 990",
      "DELETE FROM account WHERE id BETWEEN 50 AND 60",
      "CREATE TABLE elsewhere (n int)",
      "INSERT INTO elsewhere VALUES (1)",
    );
    await from.pool.transaction(async (transaction) => {
      await transaction.query("INSERT INTO account VALUES (-1, 0, '')");
      await transaction.query("UPDATE account SET id = -2, note = 'twice' WHERE id = -1");
      await transaction.query("DELETE FROM account WHERE id = -2");
      await transaction.query("INSERT INTO account VALUES (-1, 1.5, '🐘')");
    });
    await from.run("DROP TABLE elsewhere");
    await expectEqual();
    await from.run("TRUNCATE TABLE entry", "INSERT INTO entry VALUES (1, 'after', 1, NULL, 1)");
    await expectEqual();
    expect(following?.stats()).toMatchObject({
      state: "streaming",
      lagMs: 0,
      conflicts: 0,
      reseeds: 0,
      interruptions: 0,
    });
    expect(events.map(({ type }) => type)).toEqual(["copied", "streaming"]);
  });

  test("writes go on during the copy: none is missed, none comes twice, transactions stay whole", async () => {
    let isMoving = true;
    const moving = Promise.all(
      [1, 2].map(async (writer) => {
        for (let n = 0; isMoving; n += 1) {
          await from.pool.transaction(async (transaction) => {
            const [low, high] = [(n % 499) * 2 + 1, (n % 499) * 2 + 2];
            await transaction.query(`UPDATE account SET balance = balance - 1 WHERE id = ${low}`);
            await transaction.query(`UPDATE account SET balance = balance + 1 WHERE id = ${high}`);
            await transaction.query(`INSERT INTO entry VALUES (${low}, '${writer} ${n}', 1, NULL, ${high})`);
          });
        }
      }),
    );
    await start({ chunkBytes: 65_536 });
    let torn = 0;
    for (let looks = 0; looks < 50; looks += 1) {
      const { rows } = await to.pool.query("SELECT SUM(balance) AS total FROM account");
      if (Number(rows[0]?.["total"]) !== 100_000) torn += 1;
      await sleep(5);
    }
    isMoving = false;
    await moving;
    await expectEqual();
    expect(torn).toBe(0);
    expect(following?.stats().transactions).toBeGreaterThan(10);
  });

  test("stopped and begun again it goes on where it was; a big transaction arrives whole; connections that break cost time alone", async () => {
    const first = await start();
    await first.stop();
    await from.run("UPDATE account SET balance = 1 WHERE id <= 10", "DELETE FROM account WHERE id = 11");
    await start({ maxBatchBytes: 65_536, batchChanges: 100 });
    expect(following?.stats().transactions).toBe(2);
    await from.run(
      `INSERT INTO entry ${numbers(1, 900, "n, 'big', n, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx', 1")}`,
    );
    for (let n = 0; n < 3; n += 1) {
      for (const node of [...from.cluster.nodes, ...to.cluster.nodes]) node.proxy.dropConnections();
      await from.cluster
        .primary()
        .query(`INSERT INTO ${one === "postgres" ? "" : "app."}entry VALUES (${n}, 'x', 0, NULL, 1)`);
      await sleep(100);
    }
    await expectEqual();
    expect(events.filter(({ type }) => type === "copied")).toHaveLength(1);
    expect(following?.stats().interruptions).toBeGreaterThan(0);
  });

  test("another column on the source stops it, says so, and it goes on once the target has it", async () => {
    await start();
    await from.run(
      "UPDATE account SET note = 'before' WHERE id = 1",
      "ALTER TABLE account ADD COLUMN mood varchar(10)",
    );
    await from.run("UPDATE account SET mood = 'glad' WHERE id = 1");
    const { code, message } = await failure();
    expect(code).toBe("DDL_ON_SOURCE");
    expect(message).toContain("public.account: the source has a column mood");
    expect(following?.stats()).toMatchObject({ state: "failed" });
    await to.run("ALTER TABLE account ADD COLUMN mood varchar(10)");
    await start();
    await expectEqual();
  });

  test("a row of the target that is not the source's is a conflict, told with both rows", async () => {
    await start();
    await to.run("INSERT INTO account VALUES (2000, 7, 'mine')");
    await from.run("INSERT INTO account VALUES (2000, 8, 'theirs')");
    const { code, conflict, message } = await failure();
    expect(code).toBe("CONFLICT");
    expect(conflict).toMatchObject({
      table: "public.account",
      change: "insert",
      key: ["2000"],
      source: { id: "2000", note: "theirs" },
      target: { id: "2000", note: "mine" },
    });
    expect(message).not.toContain("theirs");
    await start({ onConflict: "source-wins" });
    await from.run("UPDATE account SET balance = 9 WHERE id = 2000");
    await to.run("DELETE FROM account WHERE id = 3");
    await from.run("DELETE FROM account WHERE id = 3", "UPDATE account SET note = 'x' WHERE id = 4");
    await expectEqual();
    // where foreign keys of the target may act, a row that is gone already is none
    expect(events.filter(({ type }) => type === "conflict")).toHaveLength(other === "postgres" ? 2 : 3);
  });

  test("a target that has most rows already is made equal by what differs", async () => {
    await to.run(
      `INSERT INTO account ${numbers(1, 990, "n, 100, CONCAT('note ', n)")}`,
      "UPDATE account SET balance = 5 WHERE id = 5",
    );
    await start({ begin: "compare" });
    await expectEqual();
    expect(events[0]).toMatchObject({ type: "reseeded", rows: 11, isWhole: true });
  });
});
