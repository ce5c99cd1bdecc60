import { readdirSync } from "node:fs";
import { join } from "node:path";
import { AbortedError, createPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { abandonRestore, backup, type Progress, restore, verify } from "../src/index.ts";
import { killAt, startJob } from "./jobs.ts";
import { contentOf, newFolder, openPool, poolOf, rejection, slowDown, until } from "./support.ts";

const ROWS = 60_000;
let source: LabCluster;
let target: LabCluster;

beforeAll(async () => {
  [source, target] = await Promise.all([createCluster({ mirrors: 1 }), createCluster({ mirrors: 1 })]);
  await using from = createPool(poolOf(source));
  await using to = createPool(poolOf(target));
  for (const pool of [from, to]) {
    await pool.query("CREATE TABLE parent (id int PRIMARY KEY)");
    await pool.query("CREATE TABLE item (id int PRIMARY KEY, parent int REFERENCES parent, name text)");
    await pool.query("CREATE TABLE log (text text)");
    await pool.query(
      "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES ('x'); RETURN NEW; END $$",
    );
    await pool.query("CREATE TRIGGER note AFTER INSERT ON item FOR EACH ROW EXECUTE FUNCTION note()");
    await pool.query("CREATE TRIGGER off AFTER INSERT ON item FOR EACH ROW EXECUTE FUNCTION note()");
    await pool.query("ALTER TABLE item DISABLE TRIGGER off");
  }
  await from.query("ALTER TABLE item DISABLE TRIGGER note");
  await from.query("INSERT INTO parent SELECT generate_series(1, 100)");
  await from.query(
    "INSERT INTO item SELECT i, 1 + i % 100, repeat(md5(i::text), 10) FROM generate_series(1, $1::int) AS i",
    [ROWS],
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
afterAll(async () => {
  await source?.close();
  await target?.close();
});

async function emptyTarget(): Promise<void> {
  await target.primary().query("DROP SCHEMA IF EXISTS mirrorpool_restore CASCADE; TRUNCATE item, parent, log");
}

/** Rows once each, nothing done by triggers, and everything that was switched off back as it was. */
async function expectWhole(): Promise<void> {
  const [from, to] = [source.primary(), target.primary()];
  for (const table of ["parent", "item"]) expect(await contentOf(to, table)).toEqual(await contentOf(from, table));
  expect(await to.query("SELECT count(*)::int AS count FROM log")).toEqual([{ count: 0 }]);
  expect(await to.query("SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1")).toEqual([
    { tgname: "note", tgenabled: "O" },
    { tgname: "off", tgenabled: "D" },
  ]);
  const keys = "SELECT pg_get_constraintdef(oid) AS definition FROM pg_constraint WHERE contype = 'f'";
  expect(await to.query(keys)).toEqual([{ definition: "FOREIGN KEY (parent) REFERENCES parent(id)" }]);
  expect(await to.query("SELECT to_regnamespace('mirrorpool_restore') AS mark")).toEqual([{ mark: null }]);
}

test("a backup that was killed is no backup; the next run goes on with what is there, as nothing was written since", async () => {
  const folder = newFolder();
  await slowDown(source);
  expect(await killAt(startJob("backup", source, folder), 3)).toBe(true);
  expect(await rejection(verify({ from: folder }))).toMatchObject({ code: "NOT_FOUND" });
  const [unfinished = ""] = readdirSync(folder);
  const report = await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2 });
  expect(report).toMatchObject({ isResumed: true, name: unfinished, rows: ROWS + 100 });
  await verify({ from: folder });
  expect(readdirSync(join(folder, unfinished)).sort()).toEqual(["alive.json", "data", "manifest.json"]);
});

test("a backup that was killed before the source went on is not gone on with", async () => {
  const folder = newFolder();
  await slowDown(source);
  expect(await killAt(startJob("backup", source, folder), 1)).toBe(true);
  await source.primary().query("UPDATE item SET name = name WHERE id = 1");
  await source.caughtUp();
  const report = await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2, keep: { count: 1 } });
  expect(report).toMatchObject({ isResumed: false, rows: ROWS + 100 });
  expect(report.removed).toHaveLength(1);
  expect(readdirSync(folder)).toEqual([report.name]);
  await verify({ from: folder });
});

test("a restore that is killed again and again ends whole, each row once", async () => {
  const folder = newFolder();
  await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2 });
  await emptyTarget();
  let killed = 0;
  await slowDown(target);
  for (let at = 0; at < 12; at += 3) if (await killAt(startJob("restore", target, folder), at)) killed += 1;
  expect(killed).toBeGreaterThan(1);
  await restore(openPool(target), { from: folder }).catch((error) => {
    if (error.code !== "TARGET_NOT_EMPTY") throw error; // the last one was not killed
  });
  await expectWhole();
});

test("a restore that was ended leaves the target marked, and no other one touches it; abandoned, its tables are as before", async () => {
  const folder = newFolder();
  const { name } = await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2 });
  const other = await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2 });
  await emptyTarget();
  const stop = new AbortController();
  const pool = openPool(target);
  const onProgress = ({ chunks }: Progress): void => {
    if (chunks.done > 2) stop.abort(new Error("enough"));
  };
  const error = await rejection(restore(pool, { from: folder, backup: name, signal: stop.signal, onProgress }));
  expect(error).toBeInstanceOf(AbortedError);
  expect(await rejection(restore(pool, { from: folder, backup: other.name }))).toMatchObject({ code: "TARGET_MARKED" });
  expect(await rejection(restore(pool, { from: folder, backup: name, resume: false }))).toMatchObject({
    code: "TARGET_MARKED",
  });
  expect(await abandonRestore(pool)).toBe(name);
  expect(await abandonRestore(pool)).toBeUndefined();
  await target.primary().query("TRUNCATE log");
  await restore(pool, { from: folder, backup: name });
  await expectWhole();
});

test("two restores into one database do not get into each other's way", async () => {
  const folder = newFolder();
  await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2 });
  await emptyTarget();
  const ends = await Promise.allSettled([1, 2].map(() => restore(openPool(target), { from: folder })));
  expect(ends.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  await expectWhole();
});

test("a backup ends with its signal, and leaves no connection behind", async () => {
  const pool = openPool(source);
  const stop = new AbortController();
  const onProgress = ({ chunks }: Progress): void => {
    if (chunks.done > 0) stop.abort();
  };
  const running = backup(pool, { to: newFolder(), chunkBytes: 1024 ** 2, signal: stop.signal, onProgress });
  expect(await rejection(running)).toBeInstanceOf(AbortedError);
  await until("the snapshot's connections to be gone", async () => {
    const open = "SELECT FROM pg_stat_activity WHERE usename = 'app' AND state LIKE 'idle in transaction%'";
    return (await Promise.all(source.nodes.map((node) => node.query(open)))).flat().length === 0;
  });
});

test("a backup whose resting connections are cut, with them the one that holds the snapshot, is whole", async () => {
  let cuts = 0;
  const folder = newFolder();
  const mirror = source.mirrors()[0];
  const onProgress = ({ phase, chunks }: Progress): void => {
    if (phase !== "rows" || chunks.done < 2 || cuts > 0) return;
    cuts += 1;
    // the one that holds the snapshot rests; others read, or one of them is between two chunks
    void mirror?.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app' AND state = 'idle in transaction'",
    );
  };
  const report = await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2, jobs: 3, onProgress });
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
  const report = await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2, onProgress });
  await killing;
  expect(report).toMatchObject({ node: source.primary().name, rows: ROWS + 100 });
  await verify({ from: folder });
  expect(readdirSync(folder)).toEqual([report.name]);
});

test("a backup whose mirror dies while it is planned begins anew elsewhere, and is whole", async () => {
  const folder = newFolder();
  const mirror = source.mirrors()[0];
  await using pool = createPool(poolOf(source));
  const blocker = await pool.reserve({ on: "primary" });
  await blocker.query("BEGIN");
  // a mirror that replays this lets nobody read; what is committed after it brings it there
  await blocker.query("LOCK TABLE item IN ACCESS EXCLUSIVE MODE");
  await source.primary().query("CREATE TABLE later (); DROP TABLE later");
  await source.caughtUp();
  const running = backup(openPool(source), { to: folder });
  await until("the backup to wait for its tables", async () => {
    const sql = "SELECT count(*)::int AS count FROM pg_locks WHERE NOT granted";
    return ((await mirror?.query<{ count: number }>(sql))?.[0]?.count ?? 0) > 0;
  });
  await mirror?.kill();
  await blocker.query("ROLLBACK");
  blocker.release();
  const report = await running;
  expect(report).toMatchObject({ node: source.primary().name, rows: ROWS + 100 });
  await verify({ from: folder });
  expect(readdirSync(folder)).toEqual([report.name]);
});

test("a restore goes on after a failover of its target, and each row is there once", async () => {
  const folder = newFolder();
  await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2 });
  await emptyTarget();
  await target.caughtUp();
  const primary = target.primary();
  let failing: Promise<unknown> | undefined;
  const onProgress = ({ phase, chunks }: Progress): void => {
    if (phase !== "rows" || chunks.done < 3) return;
    failing ??= (async () => {
      await primary.kill();
      const mirror = target.mirrors()[0];
      if (mirror !== undefined) await target.promote(mirror);
    })();
  };
  await slowDown(target);
  await restore(openPool(target), { from: folder, onProgress });
  await failing;
  expect(target.primary()).not.toBe(primary);
  await expectWhole();
});

test("a restore whose target fails over to a mirror that has nothing of it, not even its mark, is whole", async () => {
  const folder = newFolder();
  await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2 });
  await emptyTarget();
  await target.caughtUp();
  const [primary, mirror] = [target.primary(), target.mirrors()[0]];
  if (mirror === undefined) throw new Error("there is a mirror");
  await mirror.kill();
  let failing: Promise<unknown> | undefined;
  const onProgress = ({ phase, chunks }: Progress): void => {
    if (phase !== "rows" || chunks.done < 3) return;
    failing ??= (async () => {
      await primary.kill();
      await mirror.start();
      await target.promote(mirror);
    })();
  };
  await slowDown(target);
  const report = await restore(openPool(target), { from: folder, onProgress });
  await failing;
  expect(target.primary()).toBe(mirror);
  expect(report.isResumed).toBe(false);
  await expectWhole();
});

test("a restore whose target crashes and comes back, without what it had not written yet, is whole", async () => {
  const folder = newFolder();
  await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2 });
  await emptyTarget();
  const primary = target.primary();
  let crash: Promise<unknown> | undefined;
  const onProgress = ({ phase, chunks }: Progress): void => {
    if (phase === "rows" && chunks.done > 3) crash ??= primary.kill().then(() => primary.start());
  };
  await slowDown(target);
  await restore(openPool(target), { from: folder, onProgress });
  expect(crash).toBeDefined();
  await crash;
  await expectWhole();
});

test("chunks that are gone after they were done, though no node became primary, are restored again", async () => {
  const folder = newFolder();
  await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2 });
  await emptyTarget();
  let taking: Promise<unknown> | undefined;
  const onProgress = ({ phase, chunks }: Progress): void => {
    if (phase !== "rows" || chunks.done < 3) return;
    // what is under way ends before the lock is had
    taking ??= target.primary().query(`BEGIN; LOCK TABLE item, parent; TRUNCATE item, parent;
      DELETE FROM mirrorpool_restore.step WHERE name <> 'before'; COMMIT`);
  };
  await slowDown(target);
  const report = await restore(openPool(target), { from: folder, onProgress });
  expect(taking).toBeDefined();
  await taking;
  expect(report.isResumed).toBe(false);
  await expectWhole();
});

test("a restore whose target freezes waits for the new primary, and each row is there once", async () => {
  const folder = newFolder();
  await backup(openPool(source), { to: folder, chunkBytes: 1024 ** 2 });
  await emptyTarget();
  await target.caughtUp();
  const primary = target.primary();
  let failing: Promise<unknown> | undefined;
  const onProgress = ({ phase, chunks }: Progress): void => {
    if (phase !== "rows" || chunks.done < 2) return;
    failing ??= (async () => {
      await primary.freeze();
      const mirror = target.mirrors()[0];
      if (mirror !== undefined) await target.promote(mirror);
    })();
  };
  await slowDown(target);
  await restore(openPool(target), { from: folder, onProgress });
  await failing;
  await expectWhole();
  await primary.thaw();
  await target.rejoin(primary);
});
