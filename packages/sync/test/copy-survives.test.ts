import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { copy } from "@mirrorpool/sync";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { contentOf, createPair, type Pair } from "./support.ts";

let pair: Pair;

beforeEach(async () => {
  pair = await createPair({ sourceMirrors: 2, targetMirrors: 1 });
  await pair.both(
    "CREATE TABLE customer (id int PRIMARY KEY, name text)",
    "CREATE TABLE purchase (id int PRIMARY KEY, customer int REFERENCES customer, body text)",
    "CREATE INDEX ON purchase (customer)",
    "CREATE TABLE keyless (n int)",
  );
  await pair.from.query("INSERT INTO customer SELECT n, 'name ' || n FROM generate_series(1, 20000) n");
  await pair.from.query(
    "INSERT INTO purchase SELECT n, n % 20000 + 1, repeat('x', n % 100) FROM generate_series(1, 60000) n",
  );
  await pair.from.query("INSERT INTO keyless SELECT n % 7 FROM generate_series(1, 20000) n");
});
afterEach(() => pair?.[Symbol.asyncDispose]());

const TABLES = ["customer", "purchase", "keyless"];

async function expectEqual(): Promise<void> {
  for (const table of TABLES) expect(await contentOf(pair.to, table)).toBe(await contentOf(pair.from, table));
  const { rows } = await pair.to.query("SELECT count(*)::int AS count FROM pg_constraint WHERE contype = 'f'");
  expect(rows).toEqual([{ count: 1 }]);
  const indexes =
    "SELECT indexdef FROM pg_indexes WHERE tablename !~ '^mirrorpool' AND schemaname = 'public' ORDER BY 1";
  const there = await pair.to.query(indexes, [], { consistency: "strong" });
  expect(there.rows).toEqual((await pair.from.query(indexes)).rows);
}

/** Runs a copy to which something happens once so many chunks are done. */
async function copyDuring(chunks: number, event: () => Promise<unknown>) {
  let isOver = false;
  const copying = copy({ from: pair.from, to: pair.to, chunkBytes: 65_536 }).finally(() => {
    isOver = true;
  });
  copying.catch(() => {}); // it is told below
  const areDone = async (): Promise<boolean> => {
    const { rows } = await pair.to.query("SELECT FROM mirrorpool_chunk", [], { consistency: "strong" });
    return rows.length >= chunks;
  };
  // until the copy has begun there is no such table
  await vi.waitUntil(() => areDone().catch(() => false), { timeout: 60_000, interval: 5 });
  expect(isOver, "it happens before the end").toBe(false);
  await event();
  return copying;
}

test("a copy that is killed again and again goes on where it was, and no row is there twice", async () => {
  const child = join(import.meta.dirname, "children/copy.ts");
  const env = { ...process.env, FROM: pair.source.urls.join(" "), TO: pair.target.urls.join(" ") };
  const delays = [0, 3, 20, 60, 120, 200, 300];
  for (const delayMs of delays) {
    const copying = spawn(process.execPath, ["--conditions=mirrorpool-source", child], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await once(copying.stdout, "data");
    await sleep(delayMs);
    copying.kill("SIGKILL");
    await once(copying, "exit");
    // the source goes on meanwhile
    await pair.from.query("UPDATE purchase SET body = body || '.' WHERE id % 20000 = $1", [delayMs]);
    await pair.from.query("DELETE FROM purchase WHERE id = $1", [delayMs + 1]);
    await pair.from.query("INSERT INTO purchase VALUES ($1, 1, 'new')", [100_000 + delayMs]);
  }
  await pair.from.query("INSERT INTO keyless VALUES (99)");
  const report = await copy({ from: pair.from, to: pair.to, chunkBytes: 65_536 });
  expect(report.chunks.kept + report.chunks.copied + report.chunks.redone).toBe(report.chunks.total);
  await expectEqual();
});

test("the mirror that is read from dies in the middle: the copy goes on from another node's view", async () => {
  const report = await copyDuring(3, async () => {
    for (const node of pair.source.mirrors()) {
      const reading = await node.query(
        "SELECT FROM pg_stat_activity WHERE (query LIKE 'COPY (%' OR query LIKE '%mirrorpool_chunk') AND pid <> pg_backend_pid()",
      );
      if (reading.length > 0) await node.kill();
    }
  });
  expect(report.views).toBeGreaterThan(1);
  await expectEqual();
});

test("the source fails over in the middle: what the first view gave is compared with the second", async () => {
  await pair.source.caughtUp();
  await copyDuring(3, async () => {
    await pair.source.primary().kill();
    await pair.source.promote(await pair.source.mostAdvancedMirror());
  });
  await expectEqual();
});

test("the target fails over in the middle, and loses what its mirror had not yet: the copy writes that again", async () => {
  const mirror = pair.target.mirrors()[0];
  await copyDuring(2, async () => {
    await mirror?.replicate(false);
    await sleep(100);
    await pair.target.primary().kill();
    await pair.target.promote("node2");
  });
  await expectEqual();
});

test("the target fails over while its indexes are made: they are made on the new primary", async () => {
  const lost = pair.target.primary();
  await copyDuring(1, async () => {
    const locker = await pair.to.connect();
    await locker.query("BEGIN");
    // rows go on, and an index waits
    await locker.query("LOCK TABLE purchase IN SHARE UPDATE EXCLUSIVE MODE");
    const waiting = "SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE%INDEX%' AND wait_event_type = 'Lock'";
    await vi.waitUntil(async () => (await lost.query(waiting)).length > 0, { timeout: 20_000, interval: 5 });
    await lost.kill();
    locker.release();
    await pair.target.promote("node2");
  });
  await expectEqual();
});

test("connections that break, on both sides, cost a chunk each", async () => {
  await copyDuring(2, async () => {
    for (let round = 0; round < 3; round += 1) {
      for (const node of [...pair.source.nodes, ...pair.target.nodes]) node.proxy.dropConnections();
      await sleep(50);
    }
  });
  await expectEqual();
});

test("a signal ends it with its own reason, and the same call goes on", async () => {
  const stop = new AbortController();
  const stopping = copy({
    from: pair.from,
    to: pair.to,
    chunkBytes: 65_536,
    signal: stop.signal,
    onProgress: ({ chunks: { done } }) => {
      if (done >= 3) stop.abort(new Error("enough"));
    },
  });
  await expect(stopping).rejects.toThrow("enough");
  const report = await copy({ from: pair.from, to: pair.to, chunkBytes: 65_536 });
  expect(report.chunks.kept).toBeGreaterThan(0);
  await expectEqual();
});

test("a copy that is ended after it brought foreign keys back, and before it said that it was finished, goes on over them", async () => {
  await copy({ from: pair.from, to: pair.to });
  await pair.to.query("UPDATE mirrorpool_job SET state = 'running'");
  await pair.from.query("UPDATE customer SET name = 'other' WHERE id = 1");
  expect(await copy({ from: pair.from, to: pair.to })).toMatchObject({ chunks: { redone: 1 } });
  await expectEqual();
});
