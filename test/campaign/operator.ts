import { setTimeout as pause } from "node:timers/promises";
import type { FailoverPool } from "@mirrorpool/core";
import type { LabCluster, LabNode } from "@mirrorpool/lab";
import type { Superseded } from "./evidence.ts";
import type { History } from "./history.ts";
import type { CampaignSystem } from "./system.ts";
import { readTables } from "./workload/bank.ts";

const LIMIT_MS = 20_000;
const AGAIN = 10;

/** What manages the cluster: promotes, lets former primaries loose, and brings them back as mirrors. */
export class Operator {
  readonly cluster: LabCluster;
  readonly superseded: Superseded[] = [];
  readonly stuck: string[] = [];
  readonly #system: CampaignSystem;
  readonly #pool: FailoverPool;
  readonly #history: History;
  /** Of the last promotion: since when, and the oldest operation that was under way. */
  #promotion = { at: 0, oldest: 0 };

  constructor(system: CampaignSystem, cluster: LabCluster, pool: FailoverPool, history: History) {
    this.#system = system;
    this.cluster = cluster;
    this.#pool = pool;
    this.#history = history;
  }

  /**
   * Promotes the most advanced mirror, whatever the former primary does. First no mirror receives from that any more: so it
   * can acknowledge nothing that the new one will not have. Where nothing else would tell the two apart, a former primary that
   * can be reached is made read-only.
   */
  async failOver(): Promise<void> {
    const { cluster } = this;
    const former = cluster.primary();
    const isReachable = former.isRunning && !former.isFrozen && former.proxy.fault.kind === "pass";
    if (isReachable && !this.#system.hasTimelines) await former.readOnly(true);
    if (former.isRunning) {
      await Promise.all(cluster.mirrors().map((mirror) => mirror.replicate(false)));
    }
    const promoted = await cluster.mostAdvancedMirror();
    const oldest = this.#history.oldestUnderWay();
    await cluster.promote(promoted);
    this.#promotion = { at: this.#history.now(), oldest };
  }

  /**
   * Lets a former primary loose: it runs, can be reached, and takes writes without waiting for any mirror. The pool has
   * the new primary by then; nobody could tell the two apart before.
   */
  async letLoose(former: LabNode): Promise<void> {
    const primary = this.cluster.primary().name;
    await this.until(`the pool to follow ${primary}`, () => this.#pool.topology().primary === primary);
    if (former.isFrozen) await former.thaw();
    if (!former.isRunning) await former.start();
    await this.#system.letWrite(former);
    await former.proxy.heal();
    await this.until(`the pool to fence ${former.name}`, () => {
      const node = this.#pool.topology().nodes.find(({ id }) => id === former.name);
      return node?.fence === "superseded";
    });
    // work goes on beside it
    await this.worksAgain();
    const { entries, journal, readings } = await readTables(former, this.#promotion.oldest);
    const operations = [...entries, ...journal, ...readings].map(({ op }) => op);
    this.superseded.push({ node: former.name, promotedAt: this.#promotion.at, operations });
  }

  /** Undoes all faults; every node that is not the primary becomes a mirror of it again. */
  async mend(): Promise<void> {
    const { cluster } = this;
    for (const node of cluster.nodes) await node.proxy.heal();
    const primary = cluster.primary();
    if (primary.isFrozen) await primary.thaw();
    if (!primary.isRunning) await primary.start();
    for (const node of cluster.nodes) {
      if (node === primary || cluster.mirrors().includes(node)) continue;
      await node.readOnly(false);
      await cluster.rejoin(node);
    }
  }

  /** Waits until operations that are called from now on are acknowledged. */
  async worksAgain(): Promise<void> {
    const since = this.#history.now();
    await this.until("work to go on", () => this.#history.acknowledgedSince(since) >= AGAIN);
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
    const { primary, nodes } = this.#pool.topology();
    const states = nodes.map(({ id, status, role, fence, fault }) =>
      [id, status, role, fence, fault].filter(Boolean).join(" "),
    );
    return `the pool's primary is ${primary}: ${states.join(", ")}`;
  }
}
