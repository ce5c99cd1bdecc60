import { createCluster, type LabCluster, type LabNode } from "@mirrorpool/lab";
import { type Application, migrate, openApplication, type Place } from "./application.ts";
import { faults } from "./faults.ts";
import { handOver } from "./hand-over.ts";
import { type Evidence, type Figures, judge } from "./judge.ts";
import type { ClientName, DatabaseName, FaultName } from "./options.ts";
import type { System } from "./system.ts";
import { startTimeline } from "./timeline.ts";
import { countUncaught } from "./uncaught.ts";
import { createVirtualAddress } from "./virtual-address.ts";
import { startWorkload } from "./workload.ts";

const WARM_UP_MS = 1500;
/** Every client has done this much before the fault, unless it takes too long: there is a usual speed to come back to. */
const WARM_UP_OPERATIONS = 100;
const WARM_UP_LIMIT_MS = 10_000;
/** Operations that are under way when the workload stops get this long to end. */
const STOP_LIMIT_MS = 5000;

/** What one client came through the fault with. */
export interface Outcome {
  readonly figures: Figures;
  /** What the errors said that it saw, and how often. */
  readonly errors: ReadonlyMap<string, number>;
}

/** All clients at once through one fault, on one cluster. */
export async function run(
  database: DatabaseName,
  system: System,
  clients: readonly ClientName[],
  fault: FaultName,
  workers: number,
  print: (text: string) => void,
): Promise<readonly Outcome[]> {
  await using cluster = await createCluster({ server: database, mirrors: 2, synchronous: true });
  const former = cluster.primary();
  await using address = await createVirtualAddress(former.port);
  const place: Place = { database, system, cluster, virtualUrl: virtualUrlOf(cluster, address.port) };
  await migrate(place, clients);
  using uncaught = countUncaught();
  const origin = performance.now();
  const now = (): number => performance.now() - origin;
  const applications: Application[] = [];
  try {
    for (const client of clients) {
      applications.push(await uncaught.during(client, () => openApplication(client, place, now)));
    }
    const workloads = applications.map(({ client, shop, history }) =>
      uncaught.during(client, () => startWorkload(shop, history, workers)),
    );
    using timeline = startTimeline(applications, cluster, now, print);
    await warmUp(applications, now);
    const { faultAt, promotedAt } = await faults[fault]({
      cluster,
      now,
      mark: (what) => timeline.mark(what),
      onPromoted: (primary) => address.pointTo(primary.port),
      handOver: (to, promote) => handOver(applications, to, promote),
      pause,
    });
    await Promise.all(workloads.map((workload) => workload.stop(STOP_LIMIT_MS)));
    const times = { fault, endedAt: now(), faultAt, promotedAt };
    return await Promise.all(
      applications.map(async ({ client, identity, schema, history }) => {
        const rows = await collect(cluster, former, schema);
        const figures = judge({
          ...times,
          ...rows,
          identity,
          history,
          uncaught: uncaught.count(client),
        });
        return { figures, errors: new Map(history.errors) };
      }),
    );
  } finally {
    // a plain pool waits for hung connections for ever
    const closed = Promise.allSettled(applications.map((application) => application.close()));
    await Promise.race([closed, pause(STOP_LIMIT_MS)]);
  }
}

async function warmUp(applications: readonly Application[], now: () => number): Promise<void> {
  const startedAt = now();
  const isWarm = (): boolean =>
    applications.every(({ history }) => history.operations.length >= WARM_UP_OPERATIONS) &&
    now() - startedAt >= WARM_UP_MS;
  while (!isWarm() && now() - startedAt < WARM_UP_LIMIT_MS) await pause(20);
}

function virtualUrlOf(cluster: LabCluster, port: number): string {
  const url = new URL(cluster.primary().url);
  url.port = String(port);
  return url.href;
}

async function collect(
  cluster: LabCluster,
  former: LabNode,
  schema: string,
): Promise<Pick<Evidence, "onPrimary" | "onFormer" | "primaryPort" | "formerPort">> {
  const primary = cluster.primary();
  const read = async (node: LabNode): Promise<Evidence["onPrimary"]> =>
    node.isRunning ? node.query<{ token: string; server: number }>(`SELECT token, server FROM ${schema}.orders`) : [];
  return {
    onPrimary: await read(primary),
    onFormer: await read(former),
    primaryPort: primary.directPort,
    formerPort: former.directPort,
  };
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
