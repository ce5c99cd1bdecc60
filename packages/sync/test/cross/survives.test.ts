import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { compare, copy } from "@mirrorpool/sync";
import { afterEach, expect, test, vi } from "vitest";
import { openPlace, type Place } from "./support.ts";

let source: Place;
let target: Place;

afterEach(async () => {
  await Promise.all([source, target].map((each) => each?.[Symbol.asyncDispose]()));
});

const ROWS = 16_000;
/** They are doubled until there are enough. */
const LAST = 16_384;
/** Processes are started again and again, which takes long where much else runs. */
const PATIENCE_MS = 180_000;

/** A MariaDB with rows, and a PostgreSQL or a MariaDB for them. */
async function open(to: "postgres" | "mariadb", mirrors: { readonly source: number; readonly target: number }) {
  [source, target] = await Promise.all([openPlace("mariadb", mirrors.source), openPlace(to, mirrors.target)]);
  await source.run(
    "CREATE TABLE t (id int PRIMARY KEY, body varchar(100))",
    "CREATE TABLE keyless (n int)",
    "INSERT INTO t VALUES (1, 'x')",
  );
  for (let rows = 1; rows < ROWS; rows *= 2)
    await source.run(`INSERT INTO t SELECT id + ${rows}, REPEAT('x', id % 100) FROM t`);
  await source.run("INSERT INTO keyless SELECT id % 7 FROM t WHERE id <= 5000", "ANALYZE TABLE t, keyless");
  await target.run("CREATE TABLE t (id int PRIMARY KEY, body varchar(100))", "CREATE TABLE keyless (n int)");
  await source.cluster.caughtUp();
}

const jobOf = () => ({ from: source.pool, to: target.pool }) as const;

async function expectEqual(): Promise<void> {
  expect(await compare({ ...jobOf(), recheckMs: 100, rechecks: 20 })).toMatchObject({ isEqual: true, differences: [] });
}

/** Runs a copy to which something happens once so many chunks are done. Something else has to keep it from its end until then. */
async function copyDuring(chunks: number, event: () => Promise<unknown>) {
  const copying = copy({ ...jobOf(), chunkBytes: 65_536 });
  copying.catch(() => {}); // it is told below
  const areDone = async (): Promise<boolean> => {
    const { rows } = await target.pool.query("SELECT chunk FROM mirrorpool_chunk", [], { consistency: "strong" });
    return rows.length >= chunks;
  };
  // until the copy has begun there is no such table
  await vi.waitUntil(() => areDone().catch(() => false), { timeout: 60_000, interval: 5 });
  await event();
  return copying;
}

test(
  "a copy to PostgreSQL that is killed again and again goes on where it was, and no row is there twice",
  async () => {
    await open("postgres", { source: 1, target: 0 });
    const child = join(import.meta.dirname, "../children/copy.ts");
    const env = { ...process.env, FROM: source.cluster.urls.join(" "), TO: target.cluster.urls.join(" ") };
    for (const delayMs of [0, 50, 200]) {
      const copying = spawn(process.execPath, ["--conditions=mirrorpool-source", child], {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(copying.stdout, "data");
      await sleep(delayMs);
      copying.kill("SIGKILL");
      await once(copying, "exit");
      // the source goes on meanwhile
      await source.run(
        `UPDATE t SET body = 'changed' WHERE id % 5000 = ${delayMs}`,
        `DELETE FROM t WHERE id = ${delayMs + 1}`,
        `INSERT INTO t VALUES (${1_000_000 + delayMs}, 'new')`,
        "INSERT INTO keyless VALUES (99)",
      );
    }
    const report = await copy({ ...jobOf(), chunkBytes: 65_536 });
    expect(report.chunks.kept + report.chunks.copied + report.chunks.redone).toBe(report.chunks.total);
    await expectEqual();
  },
  PATIENCE_MS,
);

test(
  "the same to MariaDB, which is killed in the middle of a load",
  async () => {
    await open("mariadb", { source: 1, target: 0 });
    const child = join(import.meta.dirname, "../children/copy.ts");
    const env = { ...process.env, FROM: source.cluster.urls.join(" "), TO: target.cluster.urls.join(" ") };
    for (const delayMs of [0, 100]) {
      const copying = spawn(process.execPath, ["--conditions=mirrorpool-source", child], {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      });
      await once(copying.stdout, "data");
      await sleep(delayMs);
      copying.kill("SIGKILL");
      await once(copying, "exit");
      await source.run(`UPDATE t SET body = 'changed' WHERE id % 5000 = ${delayMs}`, "INSERT INTO keyless VALUES (99)");
    }
    await copy({ ...jobOf(), chunkBytes: 65_536 });
    await expectEqual();
  },
  PATIENCE_MS,
);

test("the source fails over in the middle: what the first view gave is compared with the second", async () => {
  await open("postgres", { source: 1, target: 0 });
  // one of the tables takes no rows until then
  const holder = await target.pool.connect();
  await holder.query("BEGIN");
  await holder.query("LOCK TABLE keyless IN SHARE MODE");
  const report = await copyDuring(2, async () => {
    // all that read are lost with their node
    for (const { proxy } of source.cluster.nodes) proxy.dropConnections();
    await source.cluster.primary().kill();
    await source.cluster.promote("node2");
    holder.release("destroy");
  });
  expect(report.views).toBeGreaterThan(1);
  await expectEqual();
});

test("the target fails over in the middle, and loses what its mirror had not yet: the copy writes that again", async () => {
  await open("mariadb", { source: 0, target: 1 });
  await target.cluster.caughtUp();
  const mirror = target.cluster.mirrors()[0];
  // it waits for the last row until the primary is killed: what is lost after its end nobody writes again
  const holder = await target.pool.connect();
  await holder.query("BEGIN");
  await holder.query("INSERT INTO t VALUES (?, 'held')", [LAST]);
  await copyDuring(2, async () => {
    await mirror?.replicate(false);
    await sleep(100);
    await target.cluster.primary().kill();
    await target.cluster.promote("node2");
  });
  holder.release("destroy");
  await expectEqual();
});
