import type { LabNode } from "@mirrorpool/lab";
import type { Management } from "./management.ts";
import type { Operator } from "./operator.ts";
import { readTables } from "./workload/bank.ts";

/** A primary and its mirrors: somebody has to promote them, and to bring former primaries back as mirrors. */
export class MirrorManagement implements Management {
  readonly #operator: Operator;
  /** Of the last promotion: since when, and the oldest operation that was under way. */
  #promotion = { at: 0, oldest: 0 };

  constructor(operator: Operator) {
    this.#operator = operator;
  }

  /**
   * Promotes the most advanced mirror, whatever the former primary does. First no mirror receives from that any more: so it
   * can acknowledge nothing that the new one will not have. Where nothing else would tell the two apart, a former primary that
   * can be reached is made read-only.
   */
  async failOver(): Promise<void> {
    const { cluster, history, system } = this.#operator;
    const former = cluster.primary();
    const isReachable = former.isRunning && !former.isFrozen && former.proxy.fault.kind === "pass";
    if (isReachable && !system.hasTimelines) await former.readOnly(true);
    if (former.isRunning) {
      await Promise.all(cluster.mirrors().map((mirror) => mirror.replicate(false)));
    }
    const promoted = await cluster.mostAdvancedMirror();
    const oldest = history.oldestUnderWay();
    await cluster.promote(promoted);
    this.#promotion = { at: history.now(), oldest };
  }

  /** It needs a mirror that has been streaming for a moment. */
  async handOver(): Promise<void> {
    const { cluster } = this.#operator;
    await cluster.switchover(await cluster.mostAdvancedMirror());
  }

  /**
   * It takes writes without waiting for any mirror. The pool has the new primary by then; nobody could tell the two apart
   * before.
   */
  async letLoose(former: LabNode): Promise<void> {
    const { cluster, pool, system } = this.#operator;
    const primary = cluster.primary().name;
    await this.#operator.until(`the pool to follow ${primary}`, () => pool.topology().primary === primary);
    if (former.isFrozen) await former.thaw();
    if (!former.isRunning) await former.start();
    await system.letWrite(former);
    await former.proxy.heal();
    await this.#operator.until(`the pool to fence ${former.name}`, () => {
      const node = pool.topology().nodes.find(({ id }) => id === former.name);
      return node?.fence === "superseded";
    });
    // work goes on beside it
    await this.#operator.worksAgain();
    const { entries, journal, readings } = await readTables(former, this.#promotion.oldest);
    const operations = [...entries, ...journal, ...readings].map(({ op }) => op);
    this.#operator.superseded.push({ node: former.name, promotedAt: this.#promotion.at, operations });
  }

  /** Every node that is not the primary becomes a mirror of it again. */
  async mend(): Promise<void> {
    const { cluster } = this.#operator;
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
}
