import type { LabCluster, LabNode } from "@mirrorpool/lab";
import type { FaultName } from "./options.ts";

/** What a fault needs to play itself out. `mark` puts a note into the timeline, `took over` is told at once. */
export interface Stage {
  readonly cluster: LabCluster;
  readonly now: () => number;
  readonly mark: (what: string) => void;
  readonly onPromoted: (primary: LabNode) => void;
  /** A planned hand-over, with the clients that take part in one; `promote` does it. */
  readonly handOver: (to: string, promote: () => Promise<void>) => Promise<void>;
  readonly pause: (ms: number) => Promise<void>;
}

export interface FaultTimes {
  readonly faultAt: number;
  readonly promotedAt: number;
}

const FROZEN_FOR_MS = 5000;
const AFTER_MS = 3000;

/** The three things that a primary may go through. Each leaves the former primary running or gone, as it would be. */
export const faults: Readonly<Record<FaultName, (stage: Stage) => Promise<FaultTimes>>> = {
  async kill(stage) {
    const former = stage.cluster.primary();
    stage.mark(`kill -9 ${former.name}`);
    const faultAt = stage.now();
    await former.kill();
    const promotedAt = await promote(stage);
    await stage.pause(AFTER_MS);
    return { faultAt, promotedAt };
  },
  async freeze(stage) {
    const former = stage.cluster.primary();
    stage.mark(`freeze ${former.name}`);
    const faultAt = stage.now();
    await former.freeze();
    const promotedAt = await promote(stage);
    await stage.pause(FROZEN_FOR_MS - (promotedAt - faultAt));
    stage.mark(`${former.name} wakes up`);
    await former.thaw();
    await stage.pause(AFTER_MS);
    return { faultAt, promotedAt };
  },
  async switchover(stage) {
    const to = await stage.cluster.mostAdvancedMirror();
    stage.mark(`hand over to ${to.name}`);
    const faultAt = stage.now();
    let promotedAt = faultAt;
    await stage.handOver(to.name, async () => {
      await stage.cluster.switchover(to);
      promotedAt = stage.now();
      stage.onPromoted(to);
    });
    stage.mark(`${to.name} is primary`);
    await stage.pause(AFTER_MS);
    return { faultAt, promotedAt };
  },
};

async function promote(stage: Stage): Promise<number> {
  const next = await stage.cluster.mostAdvancedMirror();
  const startedAt = stage.now();
  // it takes writes before the other mirrors follow it
  const promotedAt = startedAt + (await stage.cluster.promote(next));
  stage.onPromoted(next);
  stage.mark(`${next.name} promoted`);
  return promotedAt;
}
