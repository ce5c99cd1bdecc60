import { afterAll, beforeAll, expect, test } from "vitest";
import { createCluster, type LabCluster } from "../src/index.ts";

let cluster: LabCluster;
beforeAll(async () => {
  cluster = await createCluster({ server: "mariadb" });
  await cluster.primary().query("CREATE TABLE t (id int PRIMARY KEY)");
});
afterAll(() => cluster.close());

test("kill, promote, rejoin: the survivor follows the new primary and the old one comes back as a mirror", async () => {
  await cluster.primary().kill();
  await cluster.promote("node2");
  await cluster.primary().query("INSERT INTO t VALUES (1)");
  await cluster.rejoin("node1");
  await cluster.caughtUp();
  for (const mirror of cluster.mirrors()) expect(await mirror.query("SELECT id FROM t")).toEqual([{ id: 1 }]);
});
