import { AbortedError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { settle } from "./support/outcome.ts";
import { openPool } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 0 });
});
afterAll(() => cluster?.close());

const running = "SELECT FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'";

async function sleeping(): Promise<number> {
  return (await cluster.primary().query(running)).length;
}

test("interrupt() ends the statements given until then, on their server as well, and none that is given later", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  const first = settle(session.query("SELECT pg_sleep(60)"));
  const second = settle(session.query("SELECT 2 AS number"));
  await until("the first to run", async () => (await sleeping()) === 1);
  const reason = new Error("the user went away");
  session.interrupt(reason);
  const later = session.query("SELECT 3 AS number");
  for (const outcome of [await first, await second]) {
    expect(outcome.error).toBeInstanceOf(AbortedError);
    expect(outcome.error).toMatchObject({ cause: reason });
  }
  expect((await later).rows).toEqual([{ number: 3 }]);
  expect(await sleeping()).toBe(0);
});

test("a statement with a signal of its own is ended by either", async () => {
  await using pool = openPool(cluster);
  await using session = await pool.connect();
  const controller = new AbortController();
  for (const end of [
    () => controller.abort(new Error("by signal")),
    () => session.interrupt(new Error("by session")),
  ]) {
    const { signal } = controller.signal.aborted ? new AbortController() : controller;
    const outcome = settle(session.query("SELECT pg_sleep(60)", [], { signal }));
    await until("it to run", async () => (await sleeping()) === 1);
    end();
    expect((await outcome).error).toBeInstanceOf(AbortedError);
    await until("it to end on its server", async () => (await sleeping()) === 0);
  }
});
