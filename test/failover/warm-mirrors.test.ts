import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { anyMirror, mend } from "./support/cluster.ts";
import { openPool } from "./support/pool.ts";
import { until } from "./support/until.ts";

let cluster: LabCluster;

beforeAll(async () => {
  cluster = await createCluster();
  await using pool = openPool(cluster);
  await pool.query("CREATE TABLE load (id int)");
});
afterEach(() => mend(cluster));
afterAll(() => cluster?.close());

test("connections that were open to a mirror carry the work when it is promoted", async () => {
  await using pool = openPool(cluster, { pool: { warm: 4 } });
  await pool.start();
  const promoted = anyMirror(cluster);
  const stats = () => pool.stats().nodes[promoted.name];
  await until("the warm connections", () => stats()?.idle === 4);
  const accepted = promoted.proxy.stats.connections.accepted;
  await cluster.primary().kill();
  await cluster.promote(promoted);
  await until("the pool to follow", () => pool.topology().primary === promoted.name);
  await Promise.all(Array.from({ length: 4 }, () => pool.query("INSERT INTO load VALUES (1)")));
  expect(stats()).toMatchObject({ opened: 4, closed: 0 });
  expect(promoted.proxy.stats.connections.accepted).toBe(accepted);
});

test("a primary keeps no warm connections, and min holds for every node", async () => {
  await using pool = openPool(cluster, { pool: { warm: 2, min: 1 } });
  await pool.start();
  await until("the warm connections", () =>
    cluster.nodes.every(({ name }) => pool.stats().nodes[name]?.idle === (name === cluster.primary().name ? 1 : 2)),
  );
});

test("warm connections that are lost are opened again", async () => {
  await using pool = openPool(cluster);
  await pool.start();
  const mirror = anyMirror(cluster);
  await until("the warm connections", () => pool.stats().nodes[mirror.name]?.idle === 2);
  await mirror.kill();
  await until("their loss", () => pool.stats().nodes[mirror.name]?.idle === 0);
  await mirror.start();
  await until("the warm connections again", () => pool.stats().nodes[mirror.name]?.idle === 2);
});
