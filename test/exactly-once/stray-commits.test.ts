import type { FailoverPool, PoolEvents } from "@mirrorpool/core";
import { CommitUnknownError } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { countRows, mend, promoteMirror } from "../failover/support/cluster.ts";
import { rejection } from "../failover/support/outcome.ts";
import { openPool } from "../failover/support/pool.ts";
import { until } from "../failover/support/until.ts";
import { makeLedger } from "./support.ts";

let cluster: LabCluster;
let pool: FailoverPool;
let strays: PoolEvents["stray-commits"][];

beforeAll(async () => {
  cluster = await createCluster({ mirrors: 2 });
  await makeLedger(cluster);
});
beforeEach(async () => {
  pool = openPool(cluster, { exactlyOnce: true, replay: {} });
  strays = [];
  pool.on("stray-commits", (event) => void strays.push(event));
  await pool.query("DROP TABLE IF EXISTS entry");
  await pool.query("CREATE TABLE entry (id int)");
  await cluster.caughtUp();
});
afterEach(async () => {
  await pool.close();
  for (const mirror of cluster.mirrors()) await mirror.replicate(true);
  await mend(cluster);
});
afterAll(() => cluster?.close());

const isFenced = (node: string): boolean =>
  pool.topology().nodes.some(({ id, fence, status }) => id === node && fence === "superseded" && status === "up");

test("a COMMIT that reaches the old primary after its transaction ran again on the new one is reported when that is back", async () => {
  const former = cluster.primary();
  const session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO entry VALUES (1)");
  await former.proxy.stall();
  const commit = session.query("COMMIT");
  await until("the pool to give the node up", () => pool.topology().primary === undefined);
  await promoteMirror(cluster);
  expect(await commit).toMatchObject({ command: "COMMIT" });
  session.release();
  expect(pool.stats()).toMatchObject({ replays: 1, strayCommits: 0 });
  expect(await countRows(former, "entry")).toBe(0);

  await former.proxy.heal(); // what was held is delivered
  await until("the event", () => strays.length > 0);
  expect(await countRows(former, "entry")).toBe(1);
  expect(await countRows(cluster.primary(), "entry")).toBe(1);
  const [stray] = strays;
  const [standing] = await former.query("SELECT token::text FROM mirrorpool_ledger ORDER BY created_at DESC LIMIT 1");
  expect(stray).toEqual({ node: former.name, epoch: 2, count: 1, tokens: [standing?.["token"]] });
  expect(pool.stats().strayCommits).toBe(1);
  // the monitor's own is the only connection that stays
  await until(
    "the connection to be closed",
    async () => (await countRows(former, "pg_stat_activity", "usename = 'app'")) <= 1,
  );
});

test("a COMMIT of unknown outcome that stands on the old primary alone is reported when that is back", async () => {
  const former = cluster.primary();
  for (const mirror of cluster.mirrors()) await mirror.replicate(false);
  const session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO entry VALUES (1)");
  await former.proxy.halfOpen("down");
  expect(await rejection(session.query("COMMIT", [], { timeoutMs: 1500 }))).toBeInstanceOf(CommitUnknownError);
  session.release();
  await until("it to be committed", async () => (await countRows(former, "entry")) === 1);
  await promoteMirror(cluster);
  await pool.query("INSERT INTO entry VALUES (2)");
  await former.proxy.heal();
  await until("the event", () => strays.length > 0);
  expect(strays).toMatchObject([{ node: former.name, count: 1 }]);
});

test("an old primary that is back with nothing else than what it should have is no news", async () => {
  const former = cluster.primary();
  await using session = await pool.connect();
  await session.query("BEGIN");
  await session.query("INSERT INTO entry VALUES (1)");
  await former.proxy.halfOpen("up"); // the COMMIT is lost for good
  const commit = session.query("COMMIT");
  await until("the COMMIT to disappear", () => former.proxy.stats.swallowedBytes.up > 0);
  await until("the pool to give the node up", () => pool.topology().primary === undefined);
  await promoteMirror(cluster);
  await commit;
  await former.proxy.heal();
  await until("the old primary to be fenced", () => isFenced(former.name));
  const asked = async (): Promise<boolean> => {
    const [row] = await former.query<{ count: number }>(
      "SELECT count(*)::int FROM pg_stat_user_indexes WHERE relname = 'mirrorpool_ledger' AND idx_scan > 0",
    );
    return (row?.count ?? 0) > 0;
  };
  await until("it to be asked", asked);
  expect(strays).toEqual([]);
});
