import { mirroredPostgres } from "@mirrorpool/knex";
import knex from "knex";
import oldest from "knex-oldest";
import { expect, test, vi } from "vitest";
import { until } from "../failover/support/until.ts";
import { conformance } from "./conformance.ts";
import { knexSubject } from "./subjects/knex.ts";

vi.mock("knex", () => import("knex-oldest"));

test("these tests, and the adapter in them, are on Knex 3.0", () => {
  expect(knex).toBe(oldest);
  const db = knex({ client: mirroredPostgres({ nodes: ["postgres://localhost/app"] }) });
  expect(db.client).toBeInstanceOf(oldest.Client);
});

test("a stream that is closed before it has a connection gives nothing back", async () => {
  const db = knex({ client: mirroredPostgres({ nodes: ["postgres://localhost:1/app"] }), pool: { max: 1 } });
  const held = await db.client.acquireConnection();
  const stream = db("orders").stream();
  await new Promise((resolve) => stream.once("close", resolve).destroy());
  await db.client.releaseConnection(held);
  await until("Knex to have all back", () => db.client.pool.numUsed() === 0);
  await db.destroy();
});

conformance({ name: "Knex 3.0", open: (source) => knexSubject(knex({ client: mirroredPostgres(source) })) });
