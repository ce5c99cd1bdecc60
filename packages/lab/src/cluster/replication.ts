import { LabError } from "../errors.ts";
import type { WaitOptions } from "../wait.ts";
import type { ClusterNode } from "./node.ts";

/** Who copies from whom, and how that changes. Its methods are those of `LabCluster`. */
export interface Replication {
  readonly primary: ClusterNode;
  readonly mirrors: readonly ClusterNode[];
  mostAdvancedMirror(): Promise<ClusterNode>;
  promote(node: ClusterNode, options: WaitOptions & { readonly follow?: boolean }): Promise<number>;
  rejoin(node: ClusterNode, wait: WaitOptions): Promise<void>;
  switchover(node: ClusterNode, wait: WaitOptions): Promise<number>;
  caughtUp(wait: WaitOptions): Promise<void>;
}

/** Starts the record of a cluster that has just booted: the first node is the primary. */
export function createReplication(nodes: readonly ClusterNode[]): Replication {
  const [primary, ...mirrors] = nodes;
  if (!primary) throw new LabError("wrong-state", "a cluster without nodes");
  return new ReplicationRecord(primary, mirrors);
}

class ReplicationRecord implements Replication {
  #primary: ClusterNode;
  /** A former primary is in neither place until it rejoins. */
  readonly #mirrors: Set<ClusterNode>;

  constructor(primary: ClusterNode, mirrors: readonly ClusterNode[]) {
    this.#primary = primary;
    this.#mirrors = new Set(mirrors);
  }

  get primary(): ClusterNode {
    return this.#primary;
  }

  get mirrors(): readonly ClusterNode[] {
    return [...this.#mirrors];
  }

  async mostAdvancedMirror(): Promise<ClusterNode> {
    const received = await Promise.all(
      this.mirrors
        .filter((mirror) => mirror.isResponsive)
        .map(async (mirror) => ({ mirror, amount: await mirror.engine.received() })),
    );
    const [first, ...others] = received;
    if (first === undefined) throw new LabError("wrong-state", "no mirror is running");
    return others.reduce((most, each) => (each.amount > most.amount ? each : most), first).mirror;
  }

  async promote(node: ClusterNode, options: WaitOptions & { readonly follow?: boolean }): Promise<number> {
    this.#requireMirror(node);
    const { follow = true, ...wait } = options;
    const start = performance.now();
    const others = follow ? this.mirrors.filter((each) => each !== node && each.isResponsive) : [];
    // all at once: from a primary that hangs it takes some time
    const left = Promise.all(others.map((each) => each.engine.letGo?.(wait).catch(() => false)));
    try {
      await node.engine.promote(wait);
    } catch (error) {
      const receiving = await left;
      await Promise.all(others.map((each, index) => receiving[index] && each.engine.replicate(true)));
      throw error;
    }
    const ms = performance.now() - start;
    await left;
    this.#mirrors.delete(node);
    this.#primary = node;
    if (follow) await this.#repoint(wait);
    return ms;
  }

  async rejoin(node: ClusterNode, wait: WaitOptions): Promise<void> {
    const primary = this.#primary;
    if (node === primary) throw wrongState(node, "is the primary: there is nothing to rejoin");
    this.#mirrors.delete(node);
    await node.engine.rejoin(primary, wait);
    this.#mirrors.add(node);
  }

  async switchover(node: ClusterNode, wait: WaitOptions): Promise<number> {
    this.#requireMirror(node);
    const old = this.#primary;
    if (node === old) throw wrongState(node, "is the primary already");
    const start = performance.now();
    const position = await old.engine.retire(wait);
    try {
      await node.engine.waitForReplay(position, wait);
    } catch (error) {
      await old.engine.reinstate({ ...wait, signal: undefined });
      throw error;
    }
    await this.promote(node, wait);
    const ms = performance.now() - start;
    await old.engine.demote(node, wait);
    this.#mirrors.add(old);
    return ms;
  }

  async caughtUp(wait: WaitOptions): Promise<void> {
    const position = await this.#primary.engine.position(wait);
    const running = [...this.#mirrors].filter((mirror) => mirror.isResponsive);
    await Promise.all(running.map((mirror) => mirror.engine.waitForReplay(position, wait)));
  }

  /** Points all mirrors to the primary. One that does not run follows when it starts, a frozen one when it thaws. */
  async #repoint(wait: WaitOptions): Promise<void> {
    const mirrors = [...this.#mirrors];
    await Promise.all(mirrors.map((mirror) => mirror.engine.follow(this.#primary)));
    const running = mirrors.filter((mirror) => mirror.isResponsive);
    await Promise.all(running.map((mirror) => mirror.engine.waitForStream(wait)));
  }

  #requireMirror(node: ClusterNode): void {
    // any member of a group may become its primary, or found it anew when it has lost its quorum
    const { group } = node.plan;
    if (!group && node === this.#primary) throw wrongState(node, "is the primary already");
    if (!group && !this.#mirrors.has(node))
      throw wrongState(node, "is a former primary and no mirror: rejoin it first");
    if (!node.isResponsive) throw wrongState(node, node.isFrozen ? "is frozen" : "is not running");
  }
}

function wrongState(node: ClusterNode, what: string): LabError {
  return new LabError("wrong-state", `${node.name} ${what}`, { node: node.name });
}
