import { setTimeout as sleep } from "node:timers/promises";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCore, openPool } from "./support.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
});
afterAll(() => cluster?.close());

test("nothing runs in a session that could not be given what a hook of the pool has set", async () => {
  const acquireMs = 300;
  await using core = openCore(cluster, {
    pool: { max: 1 },
    timeouts: { acquireMs },
    routing: { readFrom: "primary" },
  });
  const pool = openPool(cluster, { mirrorpool: core, max: 2 });
  try {
    pool.on("connect", (client) => void client.query("SET search_path TO tenant"));
    const clients = [await pool.connect(), await pool.connect()];
    for (const client of clients) await client.query("SELECT 1").finally(() => client.release());
    const holder = await pool.connect();
    await holder.query("BEGIN");
    const other = await pool.connect();
    const path = other.query<{ search_path: string }>("SHOW search_path").then(
      ({ rows }) => rows[0]?.search_path,
      (error: { readonly code?: string }) => error.code,
    );
    // the session was refused a connection by then, and the statement after that is still waiting for one
    await sleep(1.5 * acquireMs);
    await holder.query("COMMIT");
    holder.release();
    await path;
    const { rows } = await other.query("SHOW search_path").finally(() => other.release());
    expect(["tenant", "ACQUIRE_TIMEOUT"]).toContain(await path);
    expect(rows).toEqual([{ search_path: "tenant" }]);
  } finally {
    await pool.end();
  }
});

test("a setting that the server refused its hook is not tried again: the client works without it, as in pg", async () => {
  await using core = openCore(cluster);
  const pool = openPool(cluster, { mirrorpool: core, max: 1 });
  const refusals: unknown[] = [];
  try {
    pool.on("connect", (client) => {
      client.query("SET work_mem TO 'much'").catch((error: { readonly code?: string }) => refusals.push(error.code));
    });
    for (let round = 0; round < 3; round += 1) expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
    expect(refusals).toEqual(["22023"]);
  } finally {
    await pool.end();
  }
});
