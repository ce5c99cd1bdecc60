import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createPool, type FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { postgres } from "@mirrorpool/pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { giveAnswer } from "../src/fleet/give-answer.ts";
import { REQUESTS } from "../src/fleet/message.ts";
import { openQueue } from "../src/fleet/open-queue.ts";
import type { Output } from "../src/output/output.ts";
import { call, lines } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "mirrorpool-fleet-"));
const clusters: LabCluster[] = [];
const pools: FailoverPool[] = [];
const workers: Worker[] = [];

/** A `mirrorpool worker` in a process of its own, and the units that it has done. */
interface Worker {
  readonly process: ChildProcess;
  readonly units: Record<string, unknown>[];
  readonly ready: Promise<void>;
  /** Called with each line that it prints. */
  onUnit: () => void;
}

function startWorker(): Worker {
  const main = join(import.meta.dirname, "../src/main.ts");
  const args = ["--conditions=mirrorpool-source", main, "worker", "--queue", "queue", "--units", "2", "--json"];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  let isReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const worker: Worker = { process: child, units: [], ready, onUnit: () => {} };
  createInterface({ input: child.stdout }).on("line", (line) => {
    const said = JSON.parse(line);
    if (said.type === "worker") isReady();
    if (said.type !== "unit") return;
    worker.units.push(said);
    worker.onUnit();
  });
  workers.push(worker);
  return worker;
}

async function stop({ process: child }: Worker, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

beforeAll(async () => {
  clusters.push(...(await Promise.all([0, 1, 2, 3].map(() => createCluster({ mirrors: 0 })))));
  const names = ["source", "target", "restored", "queue"];
  const known = clusters.map(({ urls }, place) => [
    names[place],
    { nodes: [...urls], ...(place === 0 && { backups: join(folder, "backups") }) },
  ]);
  await clusters[3]?.primary().query("CREATE DATABASE lonely OWNER app");
  const lonely = clusters[3]?.urls.map((url) => url.replace(/\/app$/, "/lonely")) ?? [];
  const config = JSON.stringify({ clusters: { ...Object.fromEntries(known), lonely: { nodes: lonely } } });
  writeFileSync(join(folder, "mirrorpool.config.mjs"), `export default ${config};`);
  pools.push(...clusters.map(({ urls }) => createPool({ driver: postgres(), nodes: [...urls] })));
  for (const pool of pools.slice(0, 3)) {
    await pool.query("CREATE TABLE wide (id int PRIMARY KEY, at timestamptz, text text, noise bytea)");
    await pool.query("CREATE TABLE keyless (a int, b text)");
  }
  await pools[0]?.query(
    "INSERT INTO wide SELECT i, now() + i * interval '1 second', repeat(md5(i::text), 10), decode(md5(i::text), 'hex') FROM generate_series(1, 60000) AS i",
  );
  await pools[0]?.query("INSERT INTO keyless SELECT i % 100, 'x' FROM generate_series(1, 5000) AS i");
  await pools[0]?.query("ANALYZE");
  for (const worker of [startWorker(), startWorker(), startWorker()]) await worker.ready;
}, 120_000);

afterAll(async () => {
  await Promise.all(workers.map((worker) => stop(worker, "SIGTERM")));
  await Promise.all(pools.map((pool) => pool.close()));
  await Promise.all(clusters.map((cluster) => cluster.close()));
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** All rows of both tables as one digest, and their number. */
async function digest(pool: FailoverPool | undefined): Promise<unknown> {
  const { rows } = (await pool?.query(
    `SELECT (SELECT count(*) FROM wide) AS wide, (SELECT md5(string_agg(w::text, ',' ORDER BY id)) FROM wide AS w) AS sum,
            (SELECT count(*) FROM keyless) AS keyless, (SELECT md5(string_agg(k::text, ',' ORDER BY a, b)) FROM keyless AS k) AS bag`,
  )) ?? { rows: [] };
  return rows[0];
}

const between = ["--from", "source", "--to", "target", "--queue", "queue", "--chunk-bytes", "1500000", "--json"];

test("three workers share a copy, and when one is killed the others do its part: each row is there once", async () => {
  const [victim] = workers;
  if (victim === undefined) throw new Error("there is no worker");
  const killed = new Promise<void>((resolve) => {
    victim.onUnit = () => resolve(stop(victim, "SIGKILL")); // it has two at a time: the other one is in its middle
  });
  const { exitCode, stdout, stderr } = await call(["copy", ...between], { folder });
  expect(exitCode, stderr).toBe(0);
  await killed;
  const [report] = lines(stdout);
  expect(report).toMatchObject({ type: "result", tables: 2 });
  expect(await digest(pools[1])).toEqual(await digest(pools[0]));
  const counts = workers.map(({ units }) => units.length);
  expect(counts.filter((count) => count > 0)).toHaveLength(3);
}, 90_000);

test("workers compare: what differs is found by its key, wherever it was looked at", async () => {
  await pools[1]?.query("UPDATE wide SET text = 'other' WHERE id = 31313");
  await pools[1]?.query("DELETE FROM wide WHERE id = 59999");
  const { exitCode, stdout } = await call(["compare", ...between], { folder });
  expect(exitCode).toBe(3);
  const { differences } = lines(stdout)[0] as { differences: { key: string[] }[] };
  expect(differences.map(({ key }) => key[0]).sort()).toEqual(["31313", "59999"]);
}, 60_000);

test("workers restore a backup that one process leads", async () => {
  const backup = await call(["backup", "source", "--chunk-bytes", "1048576", "--json"], { folder });
  expect(backup.exitCode).toBe(0);
  const before = workers.map(({ units }) => units.length);
  const args = ["restore", "restored", "--of", "source", "--queue", "queue", "--no-schema", "--json"];
  const restore = await call(args, { folder });
  expect(restore.exitCode, restore.stderr).toBe(0);
  expect(await digest(pools[2])).toEqual(await digest(pools[0]));
  const chunks = lines(restore.stdout)[0]?.["chunks"];
  const done = workers.map(({ units }, place) => units.length - (before[place] ?? 0));
  expect(done.reduce((sum, each) => sum + each, 0)).toBe(chunks);
}, 60_000);

test("a leader gives up what the queue has given up, since each worker has died over it, and the same copy goes on", async () => {
  await pools[1]?.query("TRUNCATE wide, keyless");
  const { nodes } = { nodes: clusters[3]?.urls.map((url) => url.replace(/\/app$/, "/lonely")) ?? [] };
  await using pool = createPool({ driver: postgres(), nodes });
  const queue = await openQueue(pool, { warn: () => {} } as unknown as Output);
  const stop = new AbortController();
  const dying = (async () => {
    while (!stop.signal.aborted)
      for (const { id } of (await queue.fetch(REQUESTS, { batchSize: 50 })) ?? [])
        await queue.fail(REQUESTS, id, { message: "out of memory" });
  })();
  try {
    const args = ["copy", ...between, "--job", "doomed"];
    const { exitCode, stderr } = await call([...args, "--queue", "lonely"], { folder });
    expect(exitCode).toBe(1);
    expect(lines(stderr).find(({ type }) => type === "error")).toMatchObject({
      code: "CHUNK_FAILED",
      message: expect.stringMatching(/given it up: 21 workers.*out of memory/),
    });
    expect((await call(args, { folder })).exitCode).toBe(0);
    expect(await digest(pools[1])).toEqual(await digest(pools[0]));
  } finally {
    stop.abort();
    await dying;
    await queue.stop({ graceful: false });
  }
}, 120_000);

test("a queue is no place for passwords: clusters that were given as URLs are refused", async () => {
  const url = "postgres://app:hidden-one@127.0.0.1:1/app";
  const { exitCode, stderr, stdout } = await call(["copy", ...between, "--from", url], { folder });
  expect(exitCode, stderr).toBe(2);
  expect(stderr).toContain("--queue");
  expect(stderr + stdout).not.toContain("hidden-one");
});

test("an answer whose leader is gone is nobody's; one that the queue cannot take has its unit done again", async () => {
  const cluster = clusters[3] as LabCluster;
  const pool = createPool({ driver: postgres(), nodes: [...cluster.urls] });
  const queue = await openQueue(pool, { warn: () => {} } as unknown as Output);
  try {
    const outcome = { what: "failed", isPassing: false, code: undefined, message: "no" } as const;
    const request = { answers: "mirrorpool-answers-gone", id: randomUUID() };
    await giveAnswer(queue, request, outcome);
    await queue.createQueue(request.answers);
    await giveAnswer(queue, request, outcome);
    expect(await queue.fetch(request.answers)).toMatchObject([
      { data: { id: request.id, outcome: { what: "failed" } } },
    ]);
    await pool.close();
    await expect(giveAnswer(queue, request, outcome)).rejects.toMatchObject({ code: "POOL_CLOSED" });
  } finally {
    await queue.stop({ graceful: false }).catch(() => {}); // its database is closed
    await pool.close();
  }
});
