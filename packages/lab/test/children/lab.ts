// A program that holds a cluster: says "up", and ends in the way it is told to.
import { type ClusterOptions, createCluster } from "../../src/index.ts";

const [, , dataDir = "", ending = "", options = "{}"] = process.argv;
const cluster = await createCluster({ dataDir, mirrors: 1, ...(JSON.parse(options) as ClusterOptions) });
// the hardest case for all endings
await cluster.node("node2").freeze();
process.stdout.write("up\n");

switch (ending) {
  case "last-line":
    break;
  case "close":
    await cluster.close();
    break;
  case "exit":
    process.exit(7);
    break;
  case "exception":
    setTimeout(() => {
      throw new Error("nobody catches this");
    });
    break;
  case "own-handler":
    process.on("SIGTERM", async () => {
      // the application still has its database while it shuts down
      await cluster.primary().query("SELECT 1");
      process.stdout.write("goodbye\n");
      process.exit(0);
    });
    setInterval(() => {}, 1_000);
    break;
  default:
    setInterval(() => {}, 1_000);
}
