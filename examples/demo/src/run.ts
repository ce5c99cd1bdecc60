import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import type { Client } from "./client.ts";
import { faults } from "./faults.ts";
import { History } from "./history.ts";
import type { Evidence, Figures } from "./judge.ts";
import { judge } from "./judge.ts";
import { createMirrorpoolClient } from "./mirrorpool-client.ts";
import type { ClientName, FaultName } from "./options.ts";
import { createPgClient } from "./pg-client.ts";
import { startTimeline } from "./timeline.ts";
import { createVirtualAddress } from "./virtual-address.ts";
import { SCHEMA, startWorkload } from "./workload.ts";

const WARM_UP_MS = 1500;
/** Operations that are under way when the workload stops get this long to end. */
const STOP_LIMIT_MS = 6000;

/** One client through one fault, on a cluster of its own. */
export async function run(
  client: ClientName,
  fault: FaultName,
  workers: number,
  print: (text: string) => void,
): Promise<Figures> {
  await using cluster = await createCluster({ mirrors: 2, synchronous: true });
  await cluster.primary().query(SCHEMA);
  await cluster.primary().query("ALTER TABLE orders OWNER TO app");
  await cluster.primary().query("ALTER TABLE stock OWNER TO app");
  await using uncaught = countUncaught();
  const former = cluster.primary();
  await using address = await createVirtualAddress(former.port);
  const app = await openClient(client, cluster, address.port);
  const history = new History();
  const workload = startWorkload(app, history, workers);
  const timeline = startTimeline(history, cluster, print);
  try {
    await pause(WARM_UP_MS);
    const { faultAt, promotedAt } = await faults[fault]({
      cluster,
      client: app,
      now: () => history.now(),
      mark: (what) => timeline.mark(what),
      onPromoted: (primary) => address.pointTo(primary.port),
      pause,
    });
    await workload.stop(STOP_LIMIT_MS);
    timeline.stop();
    const evidence = { client, fault, history, endedAt: history.now(), faultAt, promotedAt };
    return judge({ ...evidence, uncaught: uncaught.count(), ...(await collect(cluster, former)) });
  } finally {
    timeline.stop();
    await Promise.race([app.close().catch(() => {}), pause(STOP_LIMIT_MS)]); // pg.Pool waits for hung clients for ever
  }
}

async function openClient(name: ClientName, cluster: LabCluster, virtualPort: number): Promise<Client> {
  if (name !== "pg.Pool") return createMirrorpoolClient(cluster.nodes, name === "exactly-once");
  const url = new URL(cluster.primary().url);
  url.port = String(virtualPort);
  return createPgClient(url.href);
}

async function collect(
  cluster: LabCluster,
  former: LabNode,
): Promise<Pick<Evidence, "onPrimary" | "onFormer" | "primaryPort" | "formerPort">> {
  const primary = cluster.primary();
  const read = async (node: LabNode): Promise<Evidence["onPrimary"]> =>
    node.isRunning ? node.query<{ token: string; server: number }>("SELECT token, server FROM orders") : [];
  return {
    onPrimary: await read(primary),
    onFormer: await read(former),
    primaryPort: primary.directPort,
    formerPort: former.directPort,
  };
}

/** Exceptions that would have ended a process without a listener for them. */
function countUncaught(): AsyncDisposable & { count(): number } {
  let count = 0;
  const onUncaught = (): void => {
    count += 1;
  };
  process.on("uncaughtException", onUncaught);
  process.on("unhandledRejection", onUncaught);
  return {
    count: () => count,
    [Symbol.asyncDispose]: async () => {
      process.off("uncaughtException", onUncaught);
      process.off("unhandledRejection", onUncaught);
    },
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
