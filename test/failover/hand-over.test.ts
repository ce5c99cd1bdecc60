import { type FailoverPool, SwitchoverError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { anyMirror, countRows, mend } from "./support/cluster.ts";
import { LATE_MS, rejection, settle } from "./support/outcome.ts";
import { openPool, record } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE sale (id serial PRIMARY KEY, worker int, number int)");
});
beforeEach(async () => {
  await cluster.primary().query("TRUNCATE sale");
  await cluster.caughtUp();
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

/** Writes, reads and transactions without a pause, until it is told to end. */
function load(pool: FailoverPool, workers: number) {
  const errors: unknown[] = [];
  const state = { written: 0, isOver: false };
  const running = Array.from({ length: workers }, async (_, worker) => {
    for (let number = 0; !state.isOver; number += 1) {
      try {
        await pool.query("INSERT INTO sale (worker, number) VALUES ($1, $2)", [worker, number]);
        const seen = await pool.query("SELECT id FROM sale WHERE worker = $1 AND number = $2", [worker, number]);
        if (seen.rows.length !== 1) throw new Error(`worker ${worker} does not see its sale ${number}`);
        await pool.transaction(async (tx) => {
          await tx.query("INSERT INTO sale (worker, number) VALUES ($1, $2)", [worker, -1 - number]);
          await tx.query("SELECT count(*) FROM sale WHERE worker = $1", [worker]);
        });
        state.written += 2;
      } catch (error) {
        errors.push(error);
      }
    }
  });
  const end = async () => {
    state.isOver = true;
    await Promise.all(running);
  };
  return { state, errors, end };
}

test("a switchover under load costs no error and loses nothing", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await pool.start();
  const { state, errors, end } = load(pool, 8);
  await until("some work", () => state.written > 100);
  const from = cluster.primary().name;
  const to = anyMirror(cluster).name;
  const requests: string[] = [];
  await pool.switchover({
    to,
    promote: async (request) => {
      requests.push(`${request.from} -> ${request.to}`);
      await cluster.switchover(request.to, { signal: request.signal });
    },
  });
  const before = state.written;
  await until("more work", () => state.written > before + 100);
  await end();
  expect(errors).toEqual([]);
  expect(requests).toEqual([`${from} -> ${to}`]);
  expect(await countRows(cluster.node(to), "sale")).toBe(state.written);
  expect(events).toContainEqual(expect.objectContaining({ name: "primary-changed", node: to, reason: "switchover" }));
  expect(pool.topology()).toMatchObject({ primary: to, hold: "none" });
  expect(pool.stats()).toMatchObject({ commitUnknown: 0, transactionsLost: 0 });
});

test("a switchover whose hook fails is an error, and work goes on where it was", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const { state, errors, end } = load(pool, 4);
  const cause = new Error("the orchestrator said no");
  const error = await rejection(pool.switchover({ to: anyMirror(cluster).name, promote: () => Promise.reject(cause) }));
  expect(error).toBeInstanceOf(SwitchoverError);
  expect(error).toMatchObject({ code: "SWITCHOVER_FAILED", cause });
  const before = state.written;
  await until("work to go on", () => state.written > before + 50);
  await end();
  expect(errors).toEqual([]);
  expect(pool.topology()).toMatchObject({ primary: cluster.primary().name, epoch: 1, hold: "none" });
});

test("a switchover to a mirror that cannot catch up does not call the hook", async () => {
  await using pool = openPool(cluster);
  const mirror = anyMirror(cluster);
  await pool.start();
  await mirror.lag(true);
  await pool.query("INSERT INTO sale (worker) VALUES (1)");
  let isCalled = false;
  const promote = async () => {
    isCalled = true;
  };
  const { error, ms } = await settle(pool.switchover({ to: mirror.name, promote, timeoutMs: 500 }));
  expect(error).toBeInstanceOf(SwitchoverError);
  expect((error as Error).message).toContain("catch up");
  expect(ms).toBeLessThan(500 + LATE_MS);
  expect(isCalled).toBe(false);
  await pool.query("INSERT INTO sale (worker) VALUES (2)");
});

test("a switchover to what is no mirror in use is refused at once", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const promote = () => Promise.reject(new Error("must not be called"));
  const mirror = anyMirror(cluster);
  await mirror.kill();
  await until("the mirror to be seen down", () =>
    pool.topology().nodes.some(({ id, status }) => id === mirror.name && status === "down"),
  );
  for (const to of [cluster.primary().name, mirror.name, "nobody"]) {
    expect(await rejection(pool.switchover({ to, promote }))).toBeInstanceOf(SwitchoverError);
  }
  await pool.query("INSERT INTO sale (worker) VALUES (3)");
});

test("two switchovers at once are refused, and the first goes on", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const [one, other] = cluster.mirrors();
  let finish = () => {};
  const first = settle(
    pool.switchover({
      to: one?.name ?? "",
      promote: async () => {
        await new Promise<void>((resolve) => {
          finish = resolve;
        });
        await cluster.switchover(one?.name ?? "");
      },
    }),
  );
  await until("the first to hold the writes", () => pool.topology().hold === "writes");
  const second = await rejection(pool.switchover({ to: other?.name ?? "", promote: async () => {} }));
  expect(second).toBeInstanceOf(SwitchoverError);
  await until("the hook", () => {
    finish();
    return pool.topology().primary === one?.name;
  });
  expect((await first).error).toBeUndefined();
});

test("reads go on during a switchover", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const [target, other] = cluster.mirrors();
  const reads: number[] = [];
  await pool.switchover({
    to: target?.name ?? "",
    promote: async ({ to }) => {
      for (let i = 0; i < 10; i += 1) {
        const { rows } = await pool.query<{ n: number }>("SELECT 1 AS n", [], { timeoutMs: 1_000 });
        reads.push(rows[0]?.n ?? 0);
      }
      await cluster.switchover(to);
    },
  });
  expect(reads).toHaveLength(10);
  expect(other).toBeDefined();
});

test("a pause ends when nothing is under way, holds new work, and lets it go with resume", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await pool.start();
  const { state, errors, end } = load(pool, 8);
  await until("some work", () => state.written > 50);
  await pool.pause();
  const active = "SELECT pid FROM pg_stat_activity WHERE usename = 'app' AND state <> 'idle' AND query LIKE '%sale%'";
  for (const node of cluster.nodes) expect(await node.query(active)).toEqual([]);
  const before = state.written;
  const held = settle(pool.query("SELECT 1 AS one"));
  await until("all workers to wait", () => pool.stats().waitingForNode === 9);
  expect(state.written).toBe(before);
  pool.resume();
  expect((await held).value?.rows).toEqual([{ one: 1 }]);
  await until("work to go on", () => state.written > before + 50);
  await end();
  expect(errors).toEqual([]);
  expect(events.filter(({ name }) => name === "paused" || name === "resumed").map(({ name }) => name)).toEqual([
    "paused",
    "resumed",
  ]);
});

test("an open transaction goes on during a pause, which waits for it", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO sale (worker) VALUES (10)");
  const paused = settle(pool.pause());
  await until("new work to be held", () => pool.topology().hold === "all");
  await session.query("INSERT INTO sale (worker) VALUES (10)");
  await session.query("COMMIT");
  expect((await paused).error).toBeUndefined();
  expect(await countRows(cluster.primary(), "sale", "worker = 10")).toBe(2);
  pool.resume();
});

test("a pause that takes too long is given up, and work goes on", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  await session.query("BEGIN");
  expect(await rejection(pool.pause({ timeoutMs: 100 }))).toMatchObject({ code: "DEADLINE" });
  await pool.query("INSERT INTO sale (worker) VALUES (11)");
});
