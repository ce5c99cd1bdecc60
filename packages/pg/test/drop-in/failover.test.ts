import { CommitUnknownError, type FailoverPool, NoNodeError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { Pool } from "@mirrorpool/pg";
import type pg from "pg";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { failOver, leases, mend, openCore, prepareWhere, rejection, soon, until } from "./support.ts";

let cluster: LabCluster;
let core: FailoverPool;
let pool: pg.Pool;

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 2 });
  await prepareWhere(cluster);
  await cluster.primary().query("CREATE TABLE booking (id int); GRANT ALL ON booking TO app");
  await cluster.caughtUp();
});
afterAll(() => cluster?.close());

beforeEach(async () => {
  core = openCore(cluster);
  await core.start();
  await until("all nodes to be seen", () => core.topology().nodes.every(({ status }) => status === "up"));
  pool = new Pool({ mirrorpool: core });
  await pool.query("TRUNCATE booking");
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

/** None of the pool's own errors: pg-pool tells of idle clients that were lost, and ends the process where nobody listens. */
function watchErrors(): unknown[] {
  const errors: unknown[] = [];
  pool.on("error", (error) => errors.push(error));
  return errors;
}

test("idle clients survive the death of every node they were on, and no error event is seen", async () => {
  const errors = watchErrors();
  await Promise.all([1, 2, 3].map(() => pool.query("INSERT INTO booking VALUES (1)")));
  const idle = pool.idleCount;
  await cluster.caughtUp();
  await failOver(cluster);
  await pool.query("INSERT INTO booking VALUES (2)");
  expect((await pool.query("SELECT count(*)::int FROM booking")).rows).toEqual([{ count: 4 }]);
  expect(pool.idleCount).toBe(idle);
  expect(errors).toEqual([]);
});

test("a checked-out client goes on after a failover between two statements, and its listeners see no error", async () => {
  const client = await pool.connect();
  const events: unknown[] = [];
  for (const event of ["error", "end"] as const) client.on(event, () => events.push(event));
  await client.query("INSERT INTO booking VALUES (1)");
  await cluster.caughtUp();
  await failOver(cluster);
  await client.query("INSERT INTO booking VALUES (2)");
  expect((await client.query("SELECT count(*)::int FROM booking")).rows).toEqual([{ count: 2 }]);
  client.release();
  expect(events).toEqual([]);
});

test("a read that is running when its node dies is run again on another one", async () => {
  const reading = pool.query("SELECT 'running', count(*)::int, pg_sleep(1) FROM booking");
  await until("the read to run", async () => {
    for (const node of cluster.nodes) {
      const [row] = await node.query(
        "SELECT 1 FROM pg_stat_activity WHERE usename = 'app' AND query LIKE '%''running''%'",
      );
      if (row !== undefined) return node.kill().then(() => true);
    }
    return undefined;
  });
  if (!cluster.primary().isRunning) await cluster.promote(await cluster.mostAdvancedMirror());
  expect((await soon("the read", reading)).rows).toMatchObject([{ count: 0 }]);
});

test("a write whose answer was lost is never run again, and says so", async () => {
  const writing = rejection(pool.query("INSERT INTO booking SELECT 7 FROM pg_sleep(60)"));
  await until("the write to run", async () => {
    const [row] = await cluster
      .primary()
      .query("SELECT 1 FROM pg_stat_activity WHERE usename = 'app' AND wait_event = 'PgSleep'");
    return row !== undefined;
  });
  await failOver(cluster);
  expect(await soon("the write", writing)).toBeInstanceOf(CommitUnknownError);
  expect((await pool.query("SELECT count(*)::int FROM booking")).rows).toEqual([{ count: 0 }]);
});

test("with the commit ledger an open transaction is run again, and the application sees nothing of the failover", async () => {
  const exact = openCore(cluster, { exactlyOnce: true });
  await cluster.primary().query(`SET ROLE app; ${exact.ledgerSchema()}`);
  await cluster.caughtUp();
  const dropIn = new Pool({ mirrorpool: exact });
  const client = await dropIn.connect();
  await client.query("BEGIN");
  const { rows } = await client.query("INSERT INTO booking VALUES ($1) RETURNING id", [11]);
  expect(client.getTransactionStatus()).toBe("T");
  await failOver(cluster);
  await client.query("INSERT INTO booking VALUES ($1)", [12]);
  const commit = await client.query("COMMIT");
  expect(client.getTransactionStatus()).toBe("I");
  client.release();
  expect(rows).toEqual([{ id: 11 }]);
  expect(commit).toMatchObject({ command: "COMMIT", rowCount: null, rows: [], fields: [] });
  expect((await dropIn.query("SELECT id FROM booking ORDER BY id")).rows).toEqual([{ id: 11 }, { id: 12 }]);
  await dropIn.end();
  await exact.close();
});

test("a single write in flight has exactly one effect with the commit ledger", async () => {
  const exact = openCore(cluster, { exactlyOnce: true });
  await cluster.primary().query(`SET ROLE app; ${exact.ledgerSchema()}`);
  await cluster.caughtUp();
  const dropIn = new Pool({ mirrorpool: exact });
  const writing = dropIn.query("INSERT INTO booking SELECT 21 FROM pg_sleep(1)");
  await until("the write to run", async () => {
    const [row] = await cluster
      .primary()
      .query("SELECT 1 FROM pg_stat_activity WHERE usename = 'app' AND wait_event = 'PgSleep'");
    return row !== undefined;
  });
  await failOver(cluster);
  expect((await soon("the write", writing)).rowCount).toBe(1);
  expect((await dropIn.query("SELECT count(*)::int FROM booking")).rows).toEqual([{ count: 1 }]);
  await dropIn.end();
  await exact.close();
});

test("connecting waits for a node, and fails with what was seen of each when none comes in time", async () => {
  for (const node of cluster.nodes) await node.proxy.refuse();
  await until("all nodes to be down", () => core.topology().nodes.every(({ status }) => status === "down"));
  const impatient = new Pool({ mirrorpool: core, connectionTimeoutMillis: 200 });
  const error = await rejection(impatient.connect());
  expect(error).toBeInstanceOf(Error);
  expect([error, error.cause].some((each) => each instanceof NoNodeError || String(each).includes("timeout"))).toBe(
    true,
  );
  const patient = new Pool({ mirrorpool: core });
  const connecting = patient.connect();
  for (const node of cluster.nodes) await node.proxy.heal();
  const client = await soon("the client", connecting);
  expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  client.release();
  await Promise.all([impatient.end(), patient.end()]);
});

test("during a failover clients connect, and their reads are answered by mirrors", async () => {
  // a mirror cannot be shown to have what this process has just written, while nobody tells how far it should be
  await using eventual = openCore(cluster, { routing: { consistency: "eventual" } });
  await eventual.start();
  await cluster.caughtUp();
  await cluster.primary().kill();
  await until("the loss to be seen", () => eventual.topology().primary === undefined);
  const dropIn = new Pool({ mirrorpool: eventual });
  const client = await soon("the client", dropIn.connect());
  const { rows } = await soon("the read", client.query("SELECT count(*)::int FROM booking"));
  expect(rows).toEqual([{ count: 0 }]);
  client.release();
  await dropIn.end();
  await cluster.promote(await cluster.mostAdvancedMirror());
});
