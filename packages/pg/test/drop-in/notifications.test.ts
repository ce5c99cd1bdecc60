import { type FailoverPool, SessionLostError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { Client, Pool } from "@mirrorpool/pg";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { failOver, leases, mend, openCore, rejection, soon, until } from "./support.ts";

let cluster: LabCluster;
let core: FailoverPool;
let pool: pg.Pool;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 1 });
});
afterAll(() => cluster?.close());

beforeEach(async () => {
  core = openCore(cluster);
  pool = new Pool({ mirrorpool: core });
  return async () => {
    try {
      await soon("the end of the pool", pool.end());
      await until("the last lease to end", () => leases(core) === 0);
    } finally {
      await core.close();
      await mend(cluster);
    }
  };
});

test("a client that listens hears what others notify, while it has nothing to do", async () => {
  const client = await pool.connect();
  const heard: unknown[] = [];
  client.on("notification", ({ channel, payload }) => heard.push([channel, payload]));
  await client.query("LISTEN news");
  await pool.query("SELECT pg_notify('news', 'one')");
  await pool.query("NOTIFY news, 'two'");
  await until("the notifications", () => heard.length === 2);
  expect(heard).toEqual([
    ["news", "one"],
    ["news", "two"],
  ]);
  client.release();
  await until("the subscription to end", () => leases(core) === 0);
  await pool.query("NOTIFY news, 'three'");
  const again = await pool.connect();
  await again.query("SELECT pg_notify('news', 'four')");
  again.release();
  expect(heard).toHaveLength(2);
});

test("a client that listens is told when its connection is lost: error, end, and no further use", async () => {
  const client = await pool.connect();
  const events: unknown[] = [];
  client.on("error", (error) => events.push(error.name));
  client.on("end", () => events.push("end"));
  await client.query("LISTEN news");
  await failOver(cluster);
  await until("the events", () => events.length === 2);
  expect(events).toEqual(["SessionLostError", "end"]);
  expect(await rejection(client.query("SELECT 1"))).toBeInstanceOf(SessionLostError);
  const total = pool.totalCount;
  client.release();
  expect(pool.totalCount).toBe(total - 1);
  const next = await pool.connect();
  next.on("notification", () => events.push("news"));
  await next.query("LISTEN news");
  await pool.query("NOTIFY news");
  await until("the notification", () => events.at(-1) === "news");
  next.release();
});

test("a client whose errors nobody listens to does not end the process: its next statement says what was lost", async () => {
  const client = await pool.connect();
  await client.query("SELECT pg_advisory_lock(7)");
  await failOver(cluster);
  expect(await soon("the statement", rejection(client.query("SELECT 1")))).toBeInstanceOf(SessionLostError);
  expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  client.release();
});

test("a client of its own listens as well, and ends without an error", async () => {
  const client = new Client({ mirrorpool: core });
  const events: unknown[] = [];
  client.on("error", (error) => events.push(error));
  client.on("notification", ({ payload }) => events.push(payload));
  client.on("end", () => events.push("end"));
  await client.connect();
  await client.query("LISTEN news");
  await client.query("NOTIFY news, 'self'");
  await until("the notification", () => events.includes("self"));
  await client.end();
  expect(events).toEqual(["self", "end"]);
  await expect(client.query("SELECT 1")).rejects.toThrow("Client was closed and is not queryable");
});

test("a client that was told of its end is not told again when it is closed", async () => {
  const client = new Client({ mirrorpool: core });
  const events: unknown[] = [];
  client.on("error", (error) => events.push(error.name));
  client.on("end", () => events.push("end"));
  await client.connect();
  await client.query("LISTEN news");
  await failOver(cluster);
  await until("the events", () => events.length === 2);
  await client.end();
  expect(events).toEqual(["SessionLostError", "end"]);
});
