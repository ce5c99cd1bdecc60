import { createCluster } from "@mirrorpool/lab";
import { expect, test } from "vitest";
import { running } from "../failover/support/cluster.ts";
import { openPool } from "../failover/support/pool.ts";
import { until } from "../failover/support/until.ts";
import { makeLedger } from "./support.ts";

test("acknowledged commits that the new primary does not have are reported by their tokens, exactly", async () => {
  await using cluster = await createCluster({ mirrors: 2 });
  await makeLedger(cluster);
  await using pool = openPool(cluster, { exactlyOnce: true, replay: {} });
  const reports: { count: number; asked: number; tokens: readonly string[] }[] = [];
  pool.on("acked-writes-lost", (report) => void reports.push(report));
  await pool.query("CREATE TABLE entry (id int)");
  await pool.query("INSERT INTO entry VALUES (1)");
  await cluster.caughtUp();
  for (const mirror of cluster.mirrors()) await mirror.replicate(false);
  for (const id of [2, 3, 4]) await pool.query("INSERT INTO entry VALUES ($1)", [id]);
  const former = cluster.primary();
  const tokens = await former.query<{ token: string }>(
    "SELECT token::text FROM mirrorpool_ledger ORDER BY created_at DESC LIMIT 3",
  );
  await former.kill();
  await cluster.promote("node2", { follow: false });
  await until("the report", () => reports.length > 0);
  expect(reports).toHaveLength(1);
  expect(reports[0]).toMatchObject({ count: 3, asked: 5 });
  expect([...(reports[0]?.tokens ?? [])].sort()).toEqual(tokens.map(({ token }) => token).sort());
  expect(pool.stats().ackedWritesLost).toBe(3);
});

test("a failover that lost nothing reports nothing", async () => {
  await using cluster = await createCluster({ mirrors: 2, synchronous: true });
  await makeLedger(cluster);
  await using pool = openPool(cluster, { exactlyOnce: true, replay: {} });
  let reports = 0;
  pool.on("acked-writes-lost", () => {
    reports += 1;
  });
  await pool.query("CREATE TABLE entry (id int)");
  for (let id = 0; id < 50; id += 1) await pool.query("INSERT INTO entry VALUES ($1)", [id]);
  await cluster.primary().kill();
  await cluster.promote(await cluster.mostAdvancedMirror());
  await pool.query("INSERT INTO entry VALUES (50)");
  // asked on the new primary before this write, or at the latest now
  await until("the question to be asked", async () => {
    const [row] = await cluster.primary().query<{ count: number }>("SELECT count(*)::int FROM entry");
    return row?.count === 51;
  });
  expect(reports).toBe(0);
  expect(pool.stats()).toMatchObject({ failovers: 1, ackedWritesLost: 0 });
});

test("a report whose question was lost with its connection was given up, and with it what the failover had lost", async () => {
  await using cluster = await createCluster({ mirrors: 1 });
  await makeLedger(cluster);
  await using pool = openPool(cluster, { exactlyOnce: true, replay: {} });
  const reports: { count: number }[] = [];
  pool.on("acked-writes-lost", (report) => void reports.push(report));
  await pool.query("CREATE TABLE entry (id int)");
  await cluster.caughtUp();
  const mirror = cluster.node("node2");
  await mirror.replicate(false);
  await pool.query("INSERT INTO entry VALUES (1)");
  await cluster.primary().kill();
  // the pool learns of its new primary when the ledger is locked there
  await mirror.proxy.refuse();
  await cluster.promote(mirror);
  const lock = mirror.query("BEGIN; LOCK TABLE mirrorpool_ledger; SELECT pg_sleep(3)");
  await until("the ledger to be locked", async () => {
    const locks = await mirror.query("SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted");
    return locks.length > 0;
  });
  await mirror.proxy.heal();
  await running(mirror, "mirrorpool_ledger");
  await mirror.terminateBackends();
  await lock;
  await until("the report", () => reports.length > 0);
  expect(reports).toMatchObject([{ count: 1 }]);
});
