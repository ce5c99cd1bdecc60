import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { anyMirror, mend } from "./support/cluster.ts";
import { openPool, record, underWay } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE beat (id serial)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

test("a mirror that dies and comes back ten times costs no read and no write", async () => {
  await using pool = openPool(cluster);
  const events = record(pool);
  await pool.start();
  const errors: unknown[] = [];
  let done = 0;
  let isOver = false;
  const workers = Array.from({ length: 8 }, async (_, worker) => {
    while (!isOver) {
      const sql = worker === 0 ? "INSERT INTO beat DEFAULT VALUES" : "SELECT count(*) FROM beat";
      await pool.query(sql, [], { consistency: "eventual" }).catch((error: unknown) => errors.push(error));
      done += 1;
    }
  });
  const mirror = anyMirror(cluster);
  for (let i = 0; i < 10; i += 1) {
    const before = done;
    await mirror.kill();
    await until("work to go on", () => done > before + 20);
    await mirror.start();
    await until("the mirror to be back", () =>
      pool.topology().nodes.some(({ id, status }) => id === mirror.name && status === "up"),
    );
  }
  isOver = true;
  await Promise.all(workers);
  expect(errors).toEqual([]);
  expect(events.filter(({ name }) => name === "primary-lost" || name === "commit-unknown")).toEqual([]);
  await until("the pool to come to rest", () => underWay(pool) === 0);
});

test("a mirror that freezes and thaws again and again costs no read", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const mirror = anyMirror(cluster);
  for (let i = 0; i < 3; i += 1) {
    await mirror.freeze();
    await Promise.all(Array.from({ length: 10 }, () => pool.query("SELECT 1", [], { consistency: "eventual" })));
    await mirror.thaw();
    await Promise.all(Array.from({ length: 10 }, () => pool.query("SELECT 1", [], { consistency: "eventual" })));
  }
});
