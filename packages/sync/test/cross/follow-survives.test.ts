import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ServerKind } from "@mirrorpool/lab";
import { compare, type FollowEvent, type Following, follow } from "@mirrorpool/sync";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { grantReplication, openPlace, type Place, pairsOf } from "./support.ts";

const ACCOUNTS = 200;
const SUM = ACCOUNTS * 200;

let from: Place;
let to: Place;
let events: FollowEvent[];
let following: Following | undefined;

async function open(one: ServerKind, other: ServerKind, mirrors: readonly [number, number]): Promise<void> {
  const settings = one === "postgres" ? { wal_level: "logical" } : {};
  [from, to] = await Promise.all([openPlace(one, mirrors[0], { settings }), openPlace(other, mirrors[1])]);
  await grantReplication(from);
  const rows = `WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < ${ACCOUNTS}) SELECT n, 100 FROM r`;
  for (const place of [from, to])
    for (const table of ["cash", "bank"])
      await place.run(`CREATE TABLE ${table} (id int PRIMARY KEY, balance int NOT NULL)`);
  for (const place of [from, to])
    await place.run("CREATE TABLE transfer (id varchar(40) PRIMARY KEY, account int NOT NULL)");
  await from.run(`INSERT INTO cash ${rows}`, `INSERT INTO bank ${rows}`);
}

beforeEach(() => {
  events = [];
});
afterEach(async () => {
  await following?.stop();
  following = undefined;
  await Promise.all([from?.[Symbol.asyncDispose](), to?.[Symbol.asyncDispose]()]);
});

/** Moves money from one table to another, and notes each time it did; what a fault takes is tried no second time. */
function load(): { stop(): Promise<void> } {
  let isMoving = true;
  const moving = [1, 2].map(async (writer) => {
    for (let n = 0; isMoving; n += 1) {
      const id = ((n * 7 + writer) % ACCOUNTS) + 1;
      await from.pool
        .transaction(async (transaction) => {
          await transaction.query(`UPDATE cash SET balance = balance - 1 WHERE id = ${id}`);
          await transaction.query(`UPDATE bank SET balance = balance + 1 WHERE id = ${id}`);
          await transaction.query(`INSERT INTO transfer VALUES ('${writer} ${n}', ${id})`);
          if (n % 10 === 9) await transaction.query(`DELETE FROM transfer WHERE id = '${writer} ${n - 5}'`);
        })
        .catch(() => {});
      await sleep(2);
    }
  });
  return {
    stop: async () => {
      isMoving = false;
      await Promise.all(moving);
    },
  };
}

/** Looks at the target all the time: no transaction may be seen in part, which moves money between the two tables. */
function watch(): { stop(): Promise<number> } {
  let isWatching = true;
  let torn = 0;
  const watching = (async () => {
    while (isWatching) {
      const text = "SELECT (SELECT SUM(balance) FROM cash) + (SELECT SUM(balance) FROM bank) AS total";
      const { rows } = await to.pool
        .query(text, [], { consistency: "strong" })
        .catch(() => ({ rows: [{ total: SUM }] as Record<string, unknown>[] }));
      if (Number(rows[0]?.["total"]) !== SUM) torn += 1;
      await sleep(5);
    }
  })();
  return {
    stop: async () => {
      isWatching = false;
      await watching;
      return torn;
    },
  };
}

async function start(): Promise<void> {
  following = await follow({ from: from.pool, to: to.pool, onEvent: (event) => events.push(event) });
  await following.caughtUp({ timeoutMs: 30_000 });
}

async function expectEqual(): Promise<void> {
  await following?.caughtUp({ timeoutMs: 45_000 });
  const tables = ["cash", "bank", "transfer"];
  expect(await compare({ from: from.pool, to: to.pool, tables, recheckMs: 10 })).toMatchObject({
    isEqual: true,
    differences: [],
  });
}

/** Kills a primary whose promoted mirror lacks what was written last. */
async function failOver({ cluster }: Place, mirror: string): Promise<void> {
  for (const each of cluster.mirrors()) if (each.isRunning) await each.replicate(false);
  // what comes after that is on no mirror
  await following?.caughtUp({ timeoutMs: 30_000 });
  const { transactions = 0 } = following?.stats() ?? {};
  await expect.poll(() => following?.stats().transactions, { timeout: 20_000 }).toBeGreaterThan(transactions + 5);
  await cluster.primary().kill();
  await cluster.promote(mirror, { follow: false });
  await sleep(1000);
}

describe.each(pairsOf([["mariadb", "mariadb"]], [["mysql", "mysql"]]))("from %s to %s", (one, other) => {
  test("under load: a switchover of the source, one that loses what the target has, one of the target: equal, and no transaction torn", async () => {
    await open(one, other, [2, 1]);
    await start();
    const moving = load();
    const watching = watch();
    await sleep(300);
    await from.cluster.switchover("node2");
    await sleep(1000);
    await following?.caughtUp({ timeoutMs: 30_000 });
    // it goes on by its GTIDs
    expect(following?.stats()).toMatchObject({ state: "streaming", reseeds: 0 });
    await failOver(from, "node3");
    await failOver(to, "node2");
    await moving.stop();
    await expectEqual();
    expect(await watching.stop()).toBe(0);
    expect(events).toContainEqual(
      expect.objectContaining({ type: "reseeded", reason: expect.stringContaining("lost"), isWhole: true }),
    );
  });
});

const KILLED = pairsOf(
  [["mariadb", "postgres"]],
  [
    ["postgres", "mariadb"],
    ["mysql", "mysql"],
    ["mariadb", "mariadb"],
  ],
);

test.each(KILLED)(
  "from %s to %s, killed again and again under load: each transaction arrives once",
  async (one, other) => {
    await open(one, other, [0, 0]);
    const child = join(import.meta.dirname, "../children/follow.ts");
    const env = { ...process.env, FROM: from.cluster.urls.join(" "), TO: to.cluster.urls.join(" ") };
    const moving = load();
    for (const delayMs of [0, 80, 300]) {
      const running = spawn(process.execPath, ["--conditions=mirrorpool-source", child], {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(running.stdout, "data");
      await sleep(delayMs);
      running.kill("SIGKILL");
      await once(running, "exit");
    }
    await moving.stop();
    await start();
    await expectEqual();
    expect(following?.stats()).toMatchObject({ conflicts: 0, reseeds: 0 });
  },
);
