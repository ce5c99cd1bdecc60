import type { LabNode } from "@mirrorpool/lab";
import type { Management } from "./management.ts";
import type { Operator } from "./operator.ts";

/** A group: it settles itself who leads, or the pool does. What is done here is to ask for a change, and to note who it is. */
export class GroupManagement implements Management {
  readonly #operator: Operator;

  constructor(operator: Operator) {
    this.#operator = operator;
  }

  /** A node that still is in its group does not give way by itself. */
  async failOver(): Promise<void> {
    const { cluster, pool } = this.#operator;
    const former = cluster.primary();
    if (former.isRunning && !former.isFrozen) await this.#displace(former);
    await this.#operator.until(`another primary than ${former.name}`, () => {
      const { primary, isWritable } = pool.topology();
      return isWritable && primary !== former.name;
    });
    await this.#note();
  }

  handOver(): Promise<void> {
    return this.failOver();
  }

  /** One that was put out of its group may believe for some seconds that it still leads that: nobody confirms its writes. */
  async letLoose(former: LabNode): Promise<void> {
    if (former.isFrozen) await former.thaw();
    await former.proxy.heal();
    await this.#operator.worksAgain();
    if (!former.isRunning) await this.#operator.cluster.rejoin(former);
    await this.#operator.worksAgain();
  }

  async mend(): Promise<void> {
    const { cluster } = this.#operator;
    for (const node of cluster.nodes) {
      await node.proxy.heal();
      if (node.isFrozen) await node.thaw();
    }
    await this.#note();
    for (const node of cluster.nodes) if (node !== cluster.primary()) await cluster.rejoin(node);
    await cluster.primary().readOnly(false);
  }

  async #displace(former: LabNode): Promise<void> {
    const { cluster, system } = this.#operator;
    if (system.group === "elected") await cluster.promote(await cluster.mostAdvancedMirror());
    // the pool moves by itself from a peer that takes no writes, or cannot be reached
    else if (former.proxy.fault.kind === "pass") await former.readOnly(true);
  }

  /** Makes the pool's primary that of the record. */
  async #note(): Promise<void> {
    const { cluster, pool } = this.#operator;
    let name: string | undefined;
    await this.#operator.until("a primary", () => {
      const { primary, isWritable } = pool.topology();
      name = isWritable ? primary : undefined;
      return name !== undefined;
    });
    // who was put out of the group, and does not find back, is brought back later
    if (name !== undefined) await cluster.promote(name, { follow: false });
  }
}
