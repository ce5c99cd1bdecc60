import { readdirSync } from "node:fs";
import { join } from "node:path";
import { AbortedError } from "@mirrorpool/core";
import type { LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import {
  abandonRestore,
  backup,
  type Progress,
  type RestoreDelegate,
  RestoreWorker,
  restore,
  verify,
} from "../../src/index.ts";
import { killAt, startJob } from "../jobs.ts";
import { newFolder, rejection, slowDown, until } from "../support.ts";
import { contents, definitions, openPool, run, startCluster } from "./support.ts";

/** So many that a job is still at it when it, or its node, is killed at one of its first chunks. */
const ROWS = 48_000;
let source: LabCluster;
let target: LabCluster;

beforeAll(async () => {
  [source, target] = await Promise.all([startCluster("mariadb", 1), startCluster("mariadb", 1)]);
  for (const cluster of [source, target])
    await run(
      cluster,
      "CREATE TABLE parent (id int PRIMARY KEY)",
      "CREATE TABLE item (id int AUTO_INCREMENT PRIMARY KEY, parent int, name varchar(400), KEY (name(20)), FOREIGN KEY (parent) REFERENCES parent (id))",
    );
  await run(
    source,
    "INSERT INTO parent SELECT seq FROM seq_1_to_100",
    `INSERT INTO item SELECT seq, 1 + seq % 100, REPEAT(MD5(seq), 10) FROM seq_1_to_${ROWS}`,
    "ANALYZE TABLE item",
  );
  await source.caughtUp();
});
afterEach(async () => {
  for (const cluster of [source, target]) {
    for (const node of cluster.nodes) {
      await node.proxy.heal();
      if (node.isFrozen) await node.thaw();
    }
    const primary = cluster.primary();
    if (!primary.isRunning) await primary.start();
    for (const node of cluster.nodes) if (node !== primary && !node.isRunning) await cluster.rejoin(node);
    await cluster.caughtUp();
  }
});
afterAll(() => Promise.all([source?.close(), target?.close()]));

const emptyTarget = (): Promise<void> =>
  run(
    target,
    "SET SESSION foreign_key_checks = 0",
    "DROP TABLE IF EXISTS mirrorpool_restore, mirrorpool_restore_step",
    "TRUNCATE TABLE item",
    "TRUNCATE TABLE parent",
  );

/** Rows once each, and nothing left of the restore. */
async function expectWhole(): Promise<void> {
  expect(await contents(target)).toEqual(await contents(source));
  const counted = (cluster: LabCluster) =>
    cluster
      .primary()
      .query(
        "SELECT AUTO_INCREMENT AS next FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'app' AND TABLE_NAME = 'item'",
      );
  expect(await counted(target)).toEqual(await counted(source));
}

const chunkBytes = 1024 ** 2;
/** Processes are started again and again, which takes long where much else runs. */
const PATIENCE_MS = 180_000;

test("a backup that was killed is no backup; the next run goes on with what is there, as nothing was written since", async () => {
  const folder = newFolder();
  await slowDown(source);
  expect(await killAt(startJob("backup", source, folder), 2)).toBe(true);
  expect(await rejection(verify({ from: folder }))).toMatchObject({ code: "NOT_FOUND" });
  const [unfinished = ""] = readdirSync(folder);
  const report = await backup(openPool(source), { to: folder, chunkBytes });
  expect(report).toMatchObject({ isResumed: true, name: unfinished, rows: ROWS + 100 });
  await verify({ from: folder });
  expect(readdirSync(join(folder, unfinished)).sort()).toEqual(["alive.json", "data", "manifest.json", "schema"]);
});

test("a backup that was killed before the source went on is not gone on with", async () => {
  const folder = newFolder();
  await slowDown(source);
  expect(await killAt(startJob("backup", source, folder), 1)).toBe(true);
  await run(source, "UPDATE item SET name = CONCAT(name, 'x') WHERE id = 1");
  await source.caughtUp();
  const report = await backup(openPool(source), { to: folder, chunkBytes, keep: { count: 1 } });
  expect(report).toMatchObject({ isResumed: false, rows: ROWS + 100 });
  expect(report.removed).toHaveLength(1);
  expect(readdirSync(folder)).toEqual([report.name]);
  await verify({ from: folder });
});

test("all connections of a backup see the same, while the source goes on", async () => {
  await run(
    source,
    "CREATE TABLE account (id int PRIMARY KEY, balance int)",
    "INSERT INTO account SELECT seq, 100 FROM seq_1_to_10000",
  );
  await run(
    source,
    "CREATE TABLE other LIKE account",
    "INSERT INTO other SELECT * FROM account",
    "ANALYZE TABLE account, other",
  );
  await source.caughtUp();
  const folder = newFolder();
  const pool = openPool(source);
  let isMoving = true;
  const moving = (async () => {
    for (let n = 0; isMoving; n += 1)
      await pool.transaction(async (on) => {
        await on.query("UPDATE account SET balance = balance - 1 WHERE id = ?", [(n % 10_000) + 1]);
        await on.query("UPDATE other SET balance = balance + 1 WHERE id = ?", [10_000 - (n % 10_000)]);
      });
  })();
  const report = await backup(pool, {
    to: folder,
    jobs: 3,
    chunkBytes,
    schema: false,
    tables: ["account", "other"],
  }).finally(() => {
    isMoving = false;
  });
  await moving;
  expect(report.position).toMatch(/^0-1-\d+$/);
  await run(target, "CREATE TABLE account (id int PRIMARY KEY, balance int)", "CREATE TABLE other LIKE account");
  await restore(openPool(target), { from: folder, tables: ["public.*"] });
  const sum = "SELECT (SELECT SUM(balance) FROM app.account) + (SELECT SUM(balance) FROM app.other) AS sum";
  expect(await target.primary().query(sum)).toEqual([{ sum: "2000000" }]);
  for (const cluster of [source, target]) await run(cluster, "DROP TABLE account, other");
});

test(
  "a restore that is killed again and again ends whole, each row once",
  async () => {
    const folder = newFolder();
    await backup(openPool(source), { to: folder, chunkBytes, schema: false });
    await emptyTarget();
    let killed = 0;
    await slowDown(target);
    for (const at of [0, 3]) if (await killAt(startJob("restore", target, folder), at)) killed += 1;
    expect(killed).toBeGreaterThan(0);
    await restore(openPool(target), { from: folder }).catch((error) => {
      if (error.code !== "TARGET_NOT_EMPTY") throw error; // the last one was not killed
    });
    await expectWhole();
  },
  PATIENCE_MS,
);

test(
  "so does one that makes the tables and indexes as well",
  async () => {
    const folder = newFolder();
    await backup(openPool(source), { to: folder, chunkBytes });
    await run(target, "DROP TABLE item, parent");
    let killed = 0;
    await slowDown(target);
    for (const at of [1, 4]) if (await killAt(startJob("restore", target, folder), at)) killed += 1;
    expect(killed).toBeGreaterThan(0);
    await restore(openPool(target), { from: folder }).catch((error) => {
      if (error.code !== "TARGET_NOT_EMPTY") throw error;
    });
    await expectWhole();
    expect(await definitions(target)).toEqual(await definitions(source));
  },
  PATIENCE_MS,
);

test("a restore that was ended leaves the target marked, and no other one touches it; abandoned, its tables are empty", async () => {
  const folder = newFolder();
  const { name } = await backup(openPool(source), { to: folder, chunkBytes, schema: false });
  const other = await backup(openPool(source), { to: folder, chunkBytes, schema: false });
  await emptyTarget();
  const stop = new AbortController();
  const pool = openPool(target);
  const onProgress = ({ chunks }: Progress): void => {
    if (chunks.done > 2) stop.abort(new Error("enough"));
  };
  const error = await rejection(restore(pool, { from: folder, backup: name, signal: stop.signal, onProgress }));
  expect(error).toBeInstanceOf(AbortedError);
  expect(await rejection(restore(pool, { from: folder, backup: other.name }))).toMatchObject({ code: "TARGET_MARKED" });
  expect(await abandonRestore(pool)).toBe(name);
  expect(await abandonRestore(pool)).toBeUndefined();
  expect(await target.primary().query("SELECT COUNT(*) AS count FROM app.item")).toEqual([{ count: 0 }]);
  const ends = await Promise.allSettled([1, 2].map(() => restore(openPool(target), { from: folder, backup: name })));
  expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  await expectWhole();
});

test("workers restore what another process leads, and a unit that is done twice takes effect once", async () => {
  const folder = newFolder();
  await backup(openPool(source), { to: folder, chunkBytes });
  await emptyTarget();
  const workers = [1, 2].map(() => new RestoreWorker(openPool(target), { from: folder }));
  const delegate: RestoreDelegate = async (unit, signal) => {
    const [outcome] = await Promise.all(workers.map((worker) => worker.run(unit, signal)));
    return outcome ?? { what: "done" };
  };
  await restore(openPool(target), { from: folder, schema: false, jobs: 2, delegate });
  for (const worker of workers) worker.close();
  await expectWhole();
});

test("a backup ends with its signal, and leaves no connection behind", async () => {
  const stop = new AbortController();
  const onProgress = ({ chunks }: Progress): void => {
    if (chunks.done > 0) stop.abort();
  };
  const pool = openPool(source);
  const running = backup(pool, { to: newFolder(), chunkBytes, signal: stop.signal, onProgress });
  expect(await rejection(running)).toBeInstanceOf(AbortedError);
  await until("the view's connections to be gone", async () => {
    const open = "SELECT 1 FROM information_schema.INNODB_TRX";
    return (await Promise.all(source.nodes.map((node) => node.query(open)))).flat().length === 0;
  });
});

test("a backup goes on in the same view as long as one of its connections is left", async () => {
  const mirror = source.mirrors()[0];
  const folder = newFolder();
  let cuts = 0;
  const onProgress = ({ phase, chunks }: Progress): void => {
    if (phase !== "rows" || chunks.done < 1 || cuts > 0) return;
    cuts += 1;
    void (async () => {
      const text = "SELECT trx_mysql_thread_id AS id FROM information_schema.INNODB_TRX ORDER BY 1 DESC LIMIT 2";
      for (const { id } of (await mirror?.query<{ id: number }>(text)) ?? [])
        await mirror?.query(`KILL CONNECTION ${id}`).catch(() => {});
    })();
  };
  const report = await backup(openPool(source), { to: folder, chunkBytes, jobs: 3, onProgress });
  expect(cuts).toBe(1);
  expect(report.rows).toBe(ROWS + 100);
  await verify({ from: folder });
});

test("a backup whose mirror dies begins anew elsewhere, and is whole", async () => {
  const folder = newFolder();
  const mirror = source.mirrors()[0];
  let killing: Promise<unknown> | undefined;
  const onProgress = ({ phase, chunks }: Progress): void => {
    if (phase === "rows" && chunks.done > 0) killing ??= mirror?.kill();
  };
  await slowDown(source);
  const report = await backup(openPool(source), { to: folder, chunkBytes, onProgress });
  await killing;
  expect(report).toMatchObject({ node: source.primary().name, rows: ROWS + 100 });
  await verify({ from: folder });
  expect(readdirSync(folder)).toEqual([report.name]);
});

test("a restore goes on after a failover of its target that has lost chunks, and each row is there once", async () => {
  const folder = newFolder();
  await backup(openPool(source), { to: folder, chunkBytes });
  await emptyTarget();
  await target.caughtUp();
  const primary = target.primary();
  const [mirror] = target.mirrors();
  let failing: Promise<unknown> | undefined;
  const onProgress = ({ phase, chunks }: Progress): void => {
    if (phase !== "rows" || chunks.done < 2) return;
    failing ??= (async () => {
      await mirror?.replicate(false);
      await primary.kill();
      if (mirror !== undefined) await target.promote(mirror);
    })();
  };
  await slowDown(target);
  await restore(openPool(target), { from: folder, schema: false, onProgress });
  await failing;
  expect(target.primary()).not.toBe(primary);
  await expectWhole();
});
