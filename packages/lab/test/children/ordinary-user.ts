// A program that tries a cluster out as whoever it is run by, and says what it saw.
import { createCluster, LabError } from "../../src/index.ts";

const cluster = await createCluster({ mirrors: 1 });
await cluster.primary().query("CREATE TABLE t (id int)");
await cluster.primary().kill();
await cluster.promote("node2");
await cluster.rejoin("node1");
await cluster.node("node1").freeze();
await cluster.node("node1").thaw();
await cluster.switchover("node1");
const [row] = await cluster
  .primary()
  .query<{ directory: string }>("SELECT current_setting('data_directory') AS directory");
await cluster.close();
const disk = await createCluster({ mirrors: 0, diskBytes: 96 * 1024 ** 2 }).catch((error: unknown) => error);
process.stdout.write(
  `${JSON.stringify({ uid: process.getuid?.(), directory: row?.directory, disk: disk instanceof LabError && disk.code })}\n`,
);
