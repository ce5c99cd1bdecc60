import { createCluster, type LabCluster } from "@mirrorpool/lab";
import knex from "knex";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mirroredMysql } from "../src/mysql.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster({ server: "mariadb", mirrors: 0 });
});
afterAll(() => cluster?.close());

test("a transaction takes as many statements at a time as Knex's own connection does", async () => {
  const db = knex({ client: mirroredMysql({ nodes: [cluster.primary().url] }) });
  try {
    // more than a session of the pool has waiting
    const wanted = Array.from({ length: 3000 }, (_, number) => number);
    const rows = await db.transaction(async (trx) => {
      await trx.raw("SELECT 1"); // the session is there
      return Promise.all(wanted.map((number) => trx.select(trx.raw("? AS number", [number])).first()));
    });
    expect(rows.map((row) => Number(row?.["number"]))).toEqual(wanted);
  } finally {
    await db.destroy();
  }
});
