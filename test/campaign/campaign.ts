import { createPool, type FailoverPool } from "@mirrorpool/core";
import { createCluster, type LabCluster } from "@mirrorpool/lab";
import { Random } from "../simulation/random.ts";
import type { Evidence } from "./evidence.ts";
import type { Fault, Scene } from "./faults/fault.ts";
import { drawFaults } from "./faults/faults.ts";
import { History } from "./history.ts";
import { Operator } from "./operator.ts";
import { createReport, type Report } from "./report.ts";
import { type CampaignSystem, SYSTEMS, type SystemName } from "./system.ts";
import { Uncaught } from "./uncaught.ts";
import { OPENING_BALANCE, openBank, readAll } from "./workload/bank.ts";
import { Operations } from "./workload/operations.ts";
import { startWorkers } from "./workload/workers.ts";

export interface CampaignOptions {
  readonly server: SystemName;
  readonly faults: number;
  readonly seed: number;
  readonly print: (line: string) => void;
}

/** What `npm test` runs. */
export const DEFAULTS = { server: "postgres", faults: 100, seed: 7 } as const;

/** Longer than any operation's deadline: what has not ended by then hangs. */
const LAST_CALLS_MS = 35_000;

/** One fault after the other on a real cluster under load, and the judgement of what was done and what is there in the end. */
export async function runCampaign({ server, faults, seed, print }: CampaignOptions): Promise<Report> {
  using uncaught = new Uncaught();
  const system = SYSTEMS[server];
  await using cluster = await createCluster(system.cluster);
  for (const grant of system.grants) await cluster.primary().query(grant);
  await cluster.caughtUp();
  await using pool = openPool(system, cluster);
  const losses: string[] = [];
  pool.on("acked-writes-lost", (event) => void losses.push(`acked-writes-lost: ${JSON.stringify(event)}`));
  await openBank(pool, system.keyColumn);
  const random = new Random(seed);
  const plan = drawFaults(new Random(seed), faults, system);
  const history = new History();
  const operations = new Operations(system, pool, history);
  const operator = new Operator(system, cluster, pool, history);
  const workers = startWorkers(operations, random.fork());
  const scene: Scene = { system, cluster, pool, operator, operations, random: random.fork() };
  await operator.worksAgain();
  for (const [index, fault] of plan.entries()) {
    const startedAt = history.now();
    await play(fault, scene);
    const seconds = ((history.now() - startedAt) / 1000).toFixed(1);
    print(`${String(index + 1).padStart(4)} ${seconds.padStart(5)} s  ${fault.name}`);
  }
  await operator.mend();
  await workers.stop(LAST_CALLS_MS);
  await cluster.caughtUp();
  const evidence: Evidence = {
    operations: [...history.operations],
    final: await readAll(cluster.primary()),
    openingBalance: OPENING_BALANCE,
    superseded: operator.superseded,
    uncaught: uncaught.errors,
    complaints: [...losses, ...uncaught.warnings],
    stuck: operator.stuck,
  };
  return createReport(server, seed, faults, evidence);
}

/** The product's defaults, with the commit ledger. */
function openPool({ driver }: CampaignSystem, cluster: LabCluster): FailoverPool {
  const nodes = cluster.nodes.map(({ name, url }) => ({ name, url }));
  return createPool({ driver: driver(), nodes, exactlyOnce: true });
}

/** Plays a fault on a whole cluster that works, and waits until work goes on again. */
async function play(fault: Fault, scene: Scene): Promise<void> {
  const { operator } = scene;
  await operator.mend();
  try {
    await fault.play(scene);
  } catch (error) {
    throw new Error(`the fault "${fault.name}" could not be played`, { cause: error });
  }
  await operator.worksAgain();
}
