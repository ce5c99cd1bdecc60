import { setTimeout as pause } from "node:timers/promises";
import type { FailoverPool } from "@mirrorpool/core";
import type { LabCluster, LabNode } from "@mirrorpool/lab";
import type { Superseded } from "./evidence.ts";
import { GroupManagement } from "./group-management.ts";
import type { History } from "./history.ts";
import type { Management } from "./management.ts";
import { MirrorManagement } from "./mirror-management.ts";
import type { CampaignSystem } from "./system.ts";

const LIMIT_MS = 20_000;
const AGAIN = 10;

/** Looks after the cluster, and waits for what has to happen. */
export class Operator {
  readonly cluster: LabCluster;
  readonly pool: FailoverPool;
  readonly system: CampaignSystem;
  readonly history: History;
  readonly superseded: Superseded[] = [];
  readonly stuck: string[] = [];
  readonly #management: Management;

  constructor(system: CampaignSystem, cluster: LabCluster, pool: FailoverPool, history: History) {
    this.system = system;
    this.cluster = cluster;
    this.pool = pool;
    this.history = history;
    this.#management = system.group === undefined ? new MirrorManagement(this) : new GroupManagement(this);
  }

  /** Has another node become the primary, whatever the former one does. */
  failOver(): Promise<void> {
    return this.#management.failOver();
  }

  /** Has another node become the primary in good order. */
  handOver(): Promise<void> {
    return this.#management.handOver();
  }

  /** Lets a former primary loose: it runs, can be reached, and would take what it is given. */
  letLoose(former: LabNode): Promise<void> {
    return this.#management.letLoose(former);
  }

  /** Undoes all faults; the cluster is whole again. */
  mend(): Promise<void> {
    return this.#management.mend();
  }

  /** Waits until the pool writes elsewhere or nowhere. */
  async untilGivenUp(node: LabNode): Promise<void> {
    await this.until(`${node.name} to be given up`, () => {
      const { primary, isWritable } = this.pool.topology();
      return !isWritable || primary !== node.name;
    });
  }

  /** Waits until operations that are called from now on are acknowledged. */
  async worksAgain(): Promise<void> {
    const since = this.history.now();
    await this.until("work to go on", () => this.history.writesAcknowledgedSince(since) >= AGAIN);
  }

  /** Waits for what has to happen; when it does not in time, that is evidence. */
  async until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
    const end = performance.now() + LIMIT_MS;
    while (!(await holds())) {
      if (performance.now() > end) {
        this.stuck.push(`waited ${LIMIT_MS} ms in vain for ${what}; ${this.#describe()}`);
        return;
      }
      await pause(5);
    }
  }

  #describe(): string {
    const { primary, nodes } = this.pool.topology();
    const states = nodes.map(({ id, status, role, fence, fault }) =>
      [id, status, role, fence, fault].filter(Boolean).join(" "),
    );
    return `the pool's primary is ${primary}: ${states.join(", ")}`;
  }
}
