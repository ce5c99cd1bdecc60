import { AsyncLocalStorage } from "node:async_hooks";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { Pool } from "@mirrorpool/pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { anyMirror, openCore, prepareWhere, until } from "./support.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
  await prepareWhere(cluster);
});
afterAll(() => cluster?.close());

const WHERE = "SELECT name FROM answering_node";

test("a request that waits for a client of another one keeps its own asynchronous context", async () => {
  const core = openCore(cluster);
  const pool = new Pool({ mirrorpool: core, max: 1 });
  const request = new AsyncLocalStorage<number>();
  const seen = await Promise.all(
    [1, 2, 3, 4].map((id) =>
      request.run(id, () => new Promise((resolve) => pool.query("SELECT 1", () => resolve([id, request.getStore()])))),
    ),
  );
  const client = await pool.connect();
  const queued = await Promise.all(
    [5, 6, 7].map((id) =>
      request.run(
        id,
        () => new Promise((resolve) => client.query("SELECT 1", () => resolve([id, request.getStore()]))),
      ),
    ),
  );
  client.release();
  for (const [id, store] of [...seen, ...queued] as [number, number][]) expect(store).toBe(id);
  await pool.end();
  await core.close();
});

test("a context sees its own writes, and those of others cost it no mirror, also through one client", async () => {
  const core = openCore(cluster, { routing: { consistency: "context", freshWaitMs: 0 } });
  await core.start();
  await until("the mirror to be seen", () => core.topology().nodes.every(({ status }) => status === "up"));
  const pool = new Pool({ mirrorpool: core, max: 1 });
  await pool.query("CREATE TABLE IF NOT EXISTS note (id int)");
  await cluster.caughtUp();
  await anyMirror(cluster).lag(true);
  const ask = async (): Promise<string> => (await pool.query<{ name: string }>(WHERE)).rows[0]?.name ?? "";
  const [writer, reader] = await Promise.all([
    core.inContext(async () => {
      await pool.query("INSERT INTO note VALUES (1)");
      return Promise.all([ask(), ask(), ask()]);
    }),
    core.inContext(() => Promise.all([ask(), ask(), ask()])),
  ]);
  const primary = cluster.primary().name;
  expect(writer).toEqual([primary, primary, primary]);
  expect(reader).not.toContain(primary);
  await anyMirror(cluster).lag(false);
  await pool.end();
  await core.close();
});
