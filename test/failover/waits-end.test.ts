import type { PoolSession } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { mend } from "./support/cluster.ts";
import { LATE_MS, type Outcome, settle } from "./support/outcome.ts";
import { openPool, underWay } from "./support/pool.ts";
import { until } from "./support/until.ts";
import { type Stage, type Wait, waitOptions, waits } from "./support/waits.ts";

const DEADLINE_MS = 500;

const named = waits.map((wait) => [wait.name, wait] as const);

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE waiting (id int)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

type Play = Stage & AsyncDisposable;

/** Sets the stage. At the end nothing of the call may be left, once the faults are undone. */
async function play(wait: Wait): Promise<Play> {
  const pool = openPool(cluster, waitOptions(wait));
  const sessions: PoolSession[] = [];
  const stage: Play = {
    cluster,
    pool,
    signs: new Set(),
    hold: async () => {
      const session = await pool.connect();
      sessions.push(session);
      await session.query("BEGIN");
      return session;
    },
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.release();
      try {
        await until("the pool to come to rest", () => underWay(pool) === 0);
      } finally {
        await mend(cluster);
        await pool.close();
      }
    },
  };
  await wait.prepare?.(stage);
  return stage;
}

test.each(named)("%s ends at once when it is aborted", async (_, wait) => {
  await using stage = await play(wait);
  const controller = new AbortController();
  const call = settle(wait.begin(stage, { signal: controller.signal }));
  await wait.reached(stage);
  const reason = new Error("the user went away");
  const abortedAt = performance.now();
  controller.abort(reason);
  const { error } = await call;
  expect(performance.now() - abortedAt).toBeLessThan(LATE_MS);
  expect(error).toMatchObject({ code: wait.onAbort });
  if (wait.onAbort === "ABORTED") expect(error).toMatchObject({ name: "AbortError", cause: reason, retryable: true });
});

test.each(named)("%s ends at its deadline", async (_, wait) => {
  await using stage = await play(wait);
  const { deadlineMs = DEADLINE_MS } = wait;
  const { error, ms } = await settle(wait.begin(stage, { timeoutMs: deadlineMs }));
  expect(error).toMatchObject({ code: wait.onDeadline });
  expect(ms).toBeGreaterThanOrEqual(deadlineMs - 1);
  expect(ms).toBeLessThan(deadlineMs + LATE_MS);
});

test.each(named)("%s ends when the pool is closed", async (_, wait) => {
  await using stage = await play(wait);
  const call: Promise<Outcome<unknown>> = settle(wait.begin(stage, {}));
  await wait.reached(stage);
  const { error: closeError, ms } = await settle(stage.pool.close({ timeoutMs: 200 }));
  expect(closeError).toBeUndefined();
  expect(ms).toBeLessThan(200 + 1_000);
  const { error } = await Promise.race([
    call,
    new Promise<never>((_, reject) => setTimeout(reject, 1_000, new Error("the call hangs after close()")).unref()),
  ]);
  expect(wait.onClose).toContain((error as { readonly code?: unknown }).code);
});

test("what is over before it begins sends nothing", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  await using session = await pool.connect();
  await session.query("INSERT INTO waiting VALUES (0)");
  const signal = AbortSignal.abort(new Error("too late"));
  const calls: readonly (() => Promise<unknown>)[] = [
    () => pool.query("INSERT INTO waiting VALUES (99)", [], { signal }),
    () => session.query("INSERT INTO waiting VALUES (99)", [], { signal }),
    () => pool.transaction(async (tx) => void (await tx.query("INSERT INTO waiting VALUES (99)")), { signal }),
    () => pool.transaction(async (tx) => void (await tx.query("INSERT INTO waiting VALUES (99)", [], { signal }))),
    () => pool.connect({ signal }),
    () => pool.start({ signal }),
    () => pool.pause({ signal }),
    () => pool.switchover({ to: "node2", promote: () => Promise.reject(new Error("must not be called")), signal }),
  ];
  for (const call of calls) expect((await settle(call())).error).toMatchObject({ code: "ABORTED" });
  expect((await cluster.primary().query("SELECT id FROM waiting WHERE id = 99")).length).toBe(0);
  await pool.query("INSERT INTO waiting VALUES (0)");
  expect(pool.stats().commitUnknown).toBe(0);
});

test("a transaction that is aborted between its statements is rolled back, not committed", async () => {
  await using pool = openPool(cluster);
  const controller = new AbortController();
  const { error } = await settle(
    pool.transaction(
      async (tx) => {
        await tx.query("INSERT INTO waiting VALUES (98)");
        controller.abort();
      },
      { signal: controller.signal },
    ),
  );
  expect(error).toMatchObject({ code: "ABORTED" });
  expect((await cluster.primary().query("SELECT id FROM waiting WHERE id = 98")).length).toBe(0);
});
