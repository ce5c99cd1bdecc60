import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type FollowEvent, type Following, follow } from "@mirrorpool/sync";
import { afterEach, beforeEach, expect, test } from "vitest";
import { contentOf, createPair, type Pair } from "./support.ts";

const ACCOUNTS = 200;
const SUM = ACCOUNTS * 100;

let pair: Pair;
let events: FollowEvent[];
let following: Following | undefined;

beforeEach(async () => {
  events = [];
  pair = await createPair({ sourceMirrors: 2, targetMirrors: 1, settings: { wal_level: "logical" } });
  await pair.source.primary().query("ALTER ROLE app REPLICATION");
  await pair.both(
    "CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL)",
    "CREATE TABLE transfer (id text PRIMARY KEY, low int NOT NULL REFERENCES account, high int NOT NULL REFERENCES account)",
  );
  await pair.from.query("INSERT INTO account SELECT n, 100 FROM generate_series(1, $1::int) n", [ACCOUNTS]);
});
afterEach(async () => {
  await following?.stop();
  following = undefined;
  await pair?.[Symbol.asyncDispose]();
});

/** Moves money between accounts, and notes each time it did; what a fault takes is tried no second time. */
function load(): { stop(): Promise<void> } {
  let isMoving = true;
  const moving = [1, 2].map(async (writer) => {
    for (let n = 0; isMoving; n += 1) {
      const [one, other] = [((n * 7) % (ACCOUNTS - 1)) + 1, ((n * 7) % (ACCOUNTS - 1)) + 2];
      await pair.from
        .transaction(async (transaction) => {
          await transaction.query("UPDATE account SET balance = balance - 1 WHERE id = $1", [one]);
          await transaction.query("UPDATE account SET balance = balance + 1 WHERE id = $1", [other]);
          await transaction.query("INSERT INTO transfer VALUES ($1, $2, $3)", [`${writer} ${n}`, one, other]);
          if (n % 10 === 9) await transaction.query("DELETE FROM transfer WHERE id = $1", [`${writer} ${n - 5}`]);
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

/** Looks at the target all the time: the sum, and the transfers that made the balances what they are. */
function watch(): { stop(): Promise<number> } {
  let isWatching = true;
  let torn = 0;
  const watching = (async () => {
    while (isWatching) {
      const text = "SELECT (SELECT sum(balance) FROM account)::int AS sum";
      const { rows } = await pair.to.query(text, [], { consistency: "strong" }).catch(() => ({ rows: [{ sum: SUM }] }));
      if (rows[0]?.["sum"] !== SUM) torn += 1;
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
  following = await follow({ from: pair.from, to: pair.to, onEvent: (event) => events.push(event) });
  await following.caughtUp({ timeoutMs: 30_000 });
}

/** Waits until some more has come to the target. */
async function goOn(): Promise<void> {
  await following?.caughtUp({ timeoutMs: 20_000 });
  const { transactions = 0 } = following?.stats() ?? {};
  await expect.poll(() => following?.stats().transactions, { timeout: 20_000 }).toBeGreaterThan(transactions + 5);
}

async function expectEqual(): Promise<void> {
  await following?.caughtUp({ timeoutMs: 45_000 });
  for (const table of ["account", "transfer"])
    expect(await contentOf(pair.to, table)).toBe(await contentOf(pair.from, table));
}

test("the source fails over and loses writes that the target has: it goes on by what differs, no transaction torn", async () => {
  await start();
  const moving = load();
  const watching = watch();
  await sleep(500);
  // the mirror that will be promoted is behind: what is written now dies with the primary, and is on the target already
  await pair.source.node("node2").replicate(false);
  await goOn();
  await pair.source.primary().kill();
  // the other mirror has more than this one, and cannot follow it
  await pair.source.promote("node2", { follow: false });
  await sleep(1500);
  await moving.stop();
  await expectEqual();
  expect(await watching.stop()).toBe(0);
  expect(events).toContainEqual(expect.objectContaining({ type: "reseeded", isWhole: true }));
});

test("the target fails over and loses what it had: it is noticed, and nothing is missing afterwards", async () => {
  await start();
  const moving = load();
  const watching = watch();
  await sleep(500);
  await pair.target.node("node2").replicate(false);
  await goOn();
  await pair.target.primary().kill();
  await pair.target.promote("node2");
  await sleep(1500);
  await moving.stop();
  await expectEqual();
  expect(await watching.stop()).toBe(0);
  expect(following?.stats().reseeds).toBeGreaterThan(0);
});

test("killed again and again under load, each transaction arrives once", async () => {
  const child = join(import.meta.dirname, "children/follow.ts");
  const env = { ...process.env, FROM: pair.source.urls.join(" "), TO: pair.target.urls.join(" ") };
  const moving = load();
  for (const delayMs of [0, 5, 40, 100, 200, 400]) {
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
  const { rows } = await pair.to.query("SELECT sum(balance)::int AS sum FROM account");
  expect(rows).toEqual([{ sum: SUM }]);
});
