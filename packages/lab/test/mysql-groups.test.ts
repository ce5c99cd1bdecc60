import { expect, onTestFinished, test } from "vitest";
import { createCluster, type LabCluster, type LabNode, type ServerKind } from "../src/index.ts";
import { until } from "../src/wait.ts";
import { connectTo } from "./mysql/application.ts";

async function boot(server: ServerKind): Promise<{ cluster: LabCluster; nodes: readonly [LabNode, LabNode, LabNode] }> {
  const cluster = await createCluster({ server, group: true });
  onTestFinished(() => cluster.close());
  const [node1, node2, node3] = cluster.nodes;
  if (!node1 || !node2 || !node3) throw new Error("three nodes");
  await node1.query("CREATE TABLE t (id int PRIMARY KEY)");
  await cluster.caughtUp();
  return { cluster, nodes: [node1, node2, node3] };
}

async function insert(node: LabNode, id: number): Promise<void> {
  const connection = await connectTo(node.url);
  await connection.query(`INSERT INTO t VALUES (${id})`);
}

async function idsOn(node: LabNode): Promise<readonly number[]> {
  return (await node.query<{ id: number }>("SELECT id FROM t ORDER BY id")).map((row) => row.id);
}

/** Of a node that has noticed that it is alone. */
const ALONE = {
  mariadb: "SHOW GLOBAL STATUS WHERE Variable_name = 'wsrep_cluster_status' AND Value = 'non-Primary'",
  mysql: `SELECT 1 FROM performance_schema.replication_group_members
          WHERE member_state = 'UNREACHABLE' HAVING COUNT(*) = 2`,
};

test.each(["mariadb", "mysql"] as const)(
  "a group of %s goes on without a killed node and takes it back; without its quorum nobody writes until it is founded anew",
  async (server) => {
    const { cluster, nodes } = await boot(server);
    const [node1, node2, node3] = nodes;
    expect(await cluster.switchover(node2)).toBeGreaterThanOrEqual(0);
    await insert(node2, 1);
    await node2.kill();
    await cluster.promote(node3);
    await insert(node3, 2);
    await cluster.rejoin(node2);
    await cluster.rejoin(node1); // is in the group: nothing happens to it
    await cluster.caughtUp();
    for (const node of nodes) expect(await idsOn(node)).toEqual([1, 2]);

    // the primary is left alone with what it wrote last
    await insert(node3, 3);
    await node1.freeze();
    await node2.kill();
    const write = insert(node3, 4).then(
      () => "written",
      () => "refused",
    );
    await until("it to notice", async () => (await node3.query(ALONE[server])).length > 0);
    await expect(node2.start()).rejects.toMatchObject({ code: "wrong-state" });
    await node1.kill();
    await cluster.promote(node3);
    await write;
    await insert(node3, 5);
    await cluster.rejoin(node1);
    await cluster.caughtUp();
    expect(await idsOn(node1)).toEqual(expect.arrayContaining([1, 2, 3, 5]));
    expect(await idsOn(node1)).toEqual(await idsOn(node3));
  },
  120_000,
);

test("what a group cannot do is refused", async () => {
  await expect(createCluster({ group: true })).rejects.toThrow('group: expected false with "postgres"');
  await expect(createCluster({ server: "mysql", group: true, mirrors: 1 })).rejects.toThrow("mirrors: expected 2-8");
});
