import { expect, test } from "vitest";
import { createCluster, type PostgresSystem } from "../src/index.ts";
import { connectTo } from "./application.ts";

// fails loudly where no PostgreSQL is installed: on Debian `apt-get install postgresql`
test.each<PostgresSystem>(["system", { bin: "/usr/lib/postgresql/15/bin" }, "embedded"])(
  "with %o a cluster boots, fails over, rejoins and switches over",
  async (system) => {
    await using cluster = await createCluster({ system, maxConnections: 10 });
    const [row] = await cluster
      .primary()
      .query<{ version: string }>("SELECT current_setting('server_version_num') AS version");
    expect(Number(row?.version)).toBeGreaterThanOrEqual(system === "embedded" ? 180_000 : 150_000);
    await cluster.primary().query("CREATE TABLE t (id int); GRANT ALL ON t TO app");
    await cluster.caughtUp();
    await cluster.primary().kill();
    await cluster.promote("node2");
    const { client } = await connectTo(cluster.primary().url);
    await client.query("INSERT INTO t VALUES (1)");
    await cluster.rejoin("node1");
    await cluster.switchover("node1");
    await cluster.caughtUp();
    for (const node of cluster.nodes) {
      expect(await node.query("SELECT id FROM t")).toEqual([{ id: 1 }]);
      expect(await node.timeline()).toBe(3);
    }
  },
);
