import type { FailoverPool, PoolEvents } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { expect, test } from "vitest";
import { running } from "../failover/support/cluster.ts";
import { openPool } from "../failover/support/pool.ts";
import { until } from "../failover/support/until.ts";
import { makeLedger } from "./support.ts";

type Report = PoolEvents["acked-writes-lost"];

function reportsOf(pool: FailoverPool): Report[] {
  const reports: Report[] = [];
  pool.on("acked-writes-lost", (report) => void reports.push(report));
  return reports;
}

/** A probe of the primary was sent after this moment, and answered. */
async function sampled(pool: FailoverPool): Promise<void> {
  const startedAt = performance.now();
  await until("a probe of the primary", () => {
    const { nodes, primary } = pool.topology();
    const agoMs = nodes.find(({ id }) => id === primary)?.observedAgoMs;
    return agoMs !== undefined && performance.now() - agoMs > startedAt;
  });
}

async function cutOff(cluster: LabCluster): Promise<void> {
  await cluster.caughtUp();
  for (const mirror of cluster.mirrors()) await mirror.replicate(false);
}

const insert = async (pool: FailoverPool, ids: readonly number[]): Promise<void> => {
  for (const id of ids) await pool.query("INSERT INTO entry VALUES ($1)", [id]);
};

test("acknowledged commits that the new primary does not have are reported by their tokens, exactly", async () => {
  await using cluster = await createCluster({ mirrors: 2 });
  await makeLedger(cluster);
  await using pool = openPool(cluster, { exactlyOnce: true, replay: {} });
  const reports = reportsOf(pool);
  await pool.query("CREATE TABLE entry (id int)");
  await insert(pool, [1]);
  await cutOff(cluster);
  await insert(pool, [2, 3, 4]);
  const former = cluster.primary();
  const tokens = await former.query<{ token: string }>(
    "SELECT token::text FROM mirrorpool_ledger ORDER BY created_at DESC LIMIT 3",
  );
  await former.kill();
  await cluster.promote("node2", { follow: false });
  await until("the report", () => reports.length > 0);
  expect(reports).toHaveLength(1);
  expect(reports[0]).toMatchObject({ count: 3, unknown: 0, kept: 2, asked: 5 });
  expect([...(reports[0]?.tokens ?? [])].sort()).toEqual(tokens.map(({ token }) => token).sort());
  expect(pool.stats()).toMatchObject({ ackedWritesLost: 3, ackedWritesUnknown: 0 });
});

test("without a ledger positions tell what was kept, what was lost, and of what nobody can tell", async () => {
  await using cluster = await createCluster({ mirrors: 2 });
  await using pool = openPool(cluster);
  const reports = reportsOf(pool);
  await pool.query("CREATE TABLE entry (id int)");
  await insert(pool, [1, 2]);
  await sampled(pool);
  await cutOff(cluster);
  // a transaction is one write, and one that only read is none
  await pool.transaction(async (tx) => {
    await tx.query("INSERT INTO entry VALUES (3)");
    await tx.query("INSERT INTO entry VALUES (4)");
  });
  await pool.transaction(async (tx) => void (await tx.query("SELECT 1")));
  await sampled(pool); // this one lies beyond the end: whatever is sent now is certainly lost
  await insert(pool, [5, 6, 7]);
  await cluster.primary().kill();
  await cluster.promote("node2", { follow: false });
  await until("the report", () => reports.length > 0);
  const [report] = reports;
  expect(report).toMatchObject({ node: "node2", epoch: 2, kept: 3, asked: 7, tokens: [] });
  // the transaction may have been sent before or after the last sample that the new primary has
  expect([report?.count, report?.unknown]).toSatisfy(
    ([lost, unknown]) => (lost === 3 && unknown === 1) || (lost === 4 && unknown === 0),
  );
  const { endOfRecovery, lastSeen } = report?.positions ?? {};
  expect([endOfRecovery, lastSeen]).toEqual([expect.stringMatching(/^\w+\/\w+$/), expect.stringMatching(/^\w+\/\w+$/)]);
  expect(endOfRecovery).not.toBe(lastSeen);
  expect(pool.stats()).toMatchObject({ ackedWritesLost: report?.count, ackedWritesUnknown: report?.unknown });
});

test("what was acknowledged since the last probe is reported as unknown, though it may have been kept", async () => {
  await using cluster = await createCluster({ mirrors: 2 });
  await using pool = openPool(cluster, { monitor: { intervalMs: 60_000 } });
  const reports = reportsOf(pool);
  await pool.start();
  await pool.query("CREATE TABLE entry (id int)");
  await insert(pool, [1]);
  await cluster.caughtUp();
  await cluster.primary().kill();
  await cluster.promote("node2");
  await insert(pool, [2]); // has the loss seen at once
  await until("the report", () => reports.length > 0);
  expect(reports[0]).toMatchObject({ count: 0, unknown: 2 });
  expect(pool.stats()).toMatchObject({ ackedWritesLost: 0, ackedWritesUnknown: 2 });
});

test("after a restart the new primary cannot tell any more how much it has: all is unknown", async () => {
  await using cluster = await createCluster({ mirrors: 2 });
  await using pool = openPool(cluster);
  const reports = reportsOf(pool);
  await pool.query("CREATE TABLE entry (id int)");
  await insert(pool, [1]);
  await cluster.caughtUp();
  await sampled(pool);
  const next = cluster.node("node2");
  await next.proxy.refuse();
  await cluster.primary().kill();
  await cluster.promote(next);
  await next.restart();
  await next.proxy.heal();
  await until("the report", () => reports.length > 0);
  expect(reports[0]).toMatchObject({ count: 0, unknown: 2, kept: 0, positions: { endOfRecovery: undefined } });
});

test.each([
  ["by tokens", true],
  ["by positions", false],
])("a failover that lost nothing reports nothing, asked %s", async (_, exactlyOnce) => {
  await using cluster = await createCluster({ mirrors: 2, synchronous: true });
  await makeLedger(cluster);
  await using pool = openPool(cluster, { exactlyOnce, replay: {} });
  const reports = reportsOf(pool);
  await pool.query("CREATE TABLE entry (id int)");
  await insert(
    pool,
    Array.from({ length: 50 }, (__, id) => id),
  );
  await cluster.primary().kill();
  await cluster.promote(await cluster.mostAdvancedMirror());
  await insert(pool, [50]);
  // asked on the new primary before this write, or at the latest now
  await until("the question to be asked", async () => {
    const [row] = await cluster.primary().query<{ count: number }>("SELECT count(*)::int FROM entry");
    return row?.count === 51;
  });
  expect(reports).toEqual([]);
  expect(pool.stats()).toMatchObject({ failovers: 1, ackedWritesLost: 0, ackedWritesUnknown: 0 });
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
