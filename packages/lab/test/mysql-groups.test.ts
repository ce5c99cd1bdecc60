import { expect, onTestFinished, test } from "vitest";
import { type ClusterOptions, createCluster, type LabCluster, type LabNode } from "../src/index.ts";
import { connectTo } from "./mysql/application.ts";

async function boot(options: ClusterOptions): Promise<LabCluster> {
  const cluster = await createCluster({ group: true, ...options });
  onTestFinished(() => cluster.close());
  await cluster.primary().query("CREATE TABLE t (id int PRIMARY KEY)");
  await cluster.caughtUp();
  return cluster;
}

async function idsOn(node: LabNode): Promise<readonly number[]> {
  return (await node.query<{ id: number }>("SELECT id FROM t ORDER BY id")).map((row) => row.id);
}

test.each(["mariadb", "mysql"] as const)(
  "a group of %s goes on without a killed node and takes it back, and is founded anew after it has lost its quorum",
  async (server) => {
    const cluster = await boot({ server });
    const [node1, node2, node3] = cluster.nodes;
    if (!node1 || !node2 || !node3) throw new Error("three nodes");
    await node1.query("INSERT INTO t VALUES (1)");
    await cluster.caughtUp();
    await node1.kill();
    await cluster.promote(node2);
    await (await connectTo(node2.url)).query("INSERT INTO t VALUES (2)");
    await cluster.rejoin(node1);
    await cluster.caughtUp();
    expect([await idsOn(node1), await idsOn(node3)]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    await node1.kill();
    await node3.kill();
    await cluster.promote(node2);
    await (await connectTo(node2.url)).query("INSERT INTO t VALUES (3)");
    await cluster.rejoin(node1);
    await cluster.caughtUp();
    expect(await idsOn(node1)).toEqual([1, 2, 3]);
  },
  120_000,
);

test("what a group cannot do is refused", async () => {
  await expect(createCluster({ group: true })).rejects.toThrow('group: expected false with "postgres"');
  await expect(createCluster({ server: "mysql", group: true, mirrors: 1 })).rejects.toThrow("mirrors: expected 2-8");
});
