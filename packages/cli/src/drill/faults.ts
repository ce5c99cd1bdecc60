import { setTimeout as sleep } from "node:timers/promises";
import type { LabCluster } from "@mirrorpool/lab";

/** What a drill does to its cluster. */
export interface DrillFault {
  readonly name: string;
  readonly description: string;
  /** Does it, and all that whoever manages the cluster would do. */
  readonly inject: (cluster: LabCluster, note: (what: string) => void, signal: AbortSignal) => Promise<void>;
  /** Makes the cluster whole again. */
  readonly heal: (cluster: LabCluster) => Promise<void>;
}

/** How long whoever manages the cluster takes to find out. */
const NOTICE_MS = 1000;

/** The old primary as it is by then, and another one in its place. */
async function failOver(cluster: LabCluster, note: (what: string) => void, signal: AbortSignal): Promise<void> {
  await sleep(NOTICE_MS, undefined, { signal });
  const mirror = await cluster.mostAdvancedMirror();
  await cluster.promote(mirror);
  note(`${mirror.name} was promoted`);
}

async function rejoinAll(cluster: LabCluster): Promise<void> {
  for (const node of cluster.nodes) {
    await node.proxy.heal();
    if (node.isFrozen) await node.thaw();
  }
  const mirrors = new Set(cluster.mirrors());
  for (const node of cluster.nodes) {
    if (node === cluster.primary()) continue;
    if (!mirrors.has(node)) await cluster.rejoin(node);
    else if (!node.isRunning) await node.start();
  }
  await cluster.caughtUp();
}

/** All faults, in the order in which a drill does them. */
export const drillFaults: readonly DrillFault[] = [
  {
    name: "kill",
    description: "the primary is killed; a mirror is promoted after a second",
    inject: async (cluster, note, signal) => {
      const primary = cluster.primary();
      await primary.kill();
      note(`${primary.name} was killed`);
      await failOver(cluster, note, signal);
    },
    heal: rejoinAll,
  },
  {
    name: "freeze",
    description: "the primary hangs; a mirror is promoted after a second, and the old one wakes up again",
    inject: async (cluster, note, signal) => {
      const primary = cluster.primary();
      await primary.freeze();
      note(`${primary.name} hangs`);
      await failOver(cluster, note, signal);
      await sleep(NOTICE_MS, undefined, { signal });
      await primary.thaw();
      note(`${primary.name} woke up, and still takes writes`);
      await sleep(NOTICE_MS, undefined, { signal });
    },
    heal: rejoinAll,
  },
  {
    name: "partition",
    description: "nothing reaches the primary or comes from it; a mirror is promoted after a second",
    inject: async (cluster, note, signal) => {
      const primary = cluster.primary();
      await primary.proxy.blackHole();
      note(`${primary.name} is cut off`);
      await failOver(cluster, note, signal);
    },
    heal: rejoinAll,
  },
  {
    name: "switchover",
    description: "the primary is stopped in good order and a mirror takes over, without a word to the application",
    inject: async (cluster, note) => {
      const [mirror] = cluster.mirrors();
      if (mirror === undefined) return;
      await cluster.switchover(mirror);
      note(`${mirror.name} took over`);
    },
    heal: rejoinAll,
  },
  {
    name: "mirror",
    description: "a mirror is killed",
    inject: async (cluster, note, signal) => {
      const [mirror] = cluster.mirrors();
      await mirror?.kill();
      note(`${mirror?.name} was killed`);
      await sleep(NOTICE_MS, undefined, { signal });
    },
    heal: rejoinAll,
  },
];
