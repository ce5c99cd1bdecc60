import { LabError } from "../errors.ts";
import { readControlFile } from "../postgres/control-file.ts";
import { until, type WaitOptions } from "../wait.ts";
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

/** Starts the record of a cluster that has just booted: the first node is the primary. `signal` ends all waits. */
export function createReplication(nodes: readonly ClusterNode[], signal: AbortSignal): Replication {
  const [primary, ...mirrors] = nodes;
  if (!primary) throw new LabError("wrong-state", "a cluster without nodes");
  return new ReplicationRecord(primary, mirrors, signal);
}

class ReplicationRecord implements Replication {
  #primary: ClusterNode;
  /** A former primary is in neither place until it rejoins. */
  readonly #mirrors: Set<ClusterNode>;
  readonly #signal: AbortSignal;

  constructor(primary: ClusterNode, mirrors: readonly ClusterNode[], signal: AbortSignal) {
    this.#primary = primary;
    this.#mirrors = new Set(mirrors);
    this.#signal = signal;
  }

  get primary(): ClusterNode {
    return this.#primary;
  }

  get mirrors(): readonly ClusterNode[] {
    return [...this.#mirrors];
  }

  async mostAdvancedMirror(): Promise<ClusterNode> {
    const sql = "SELECT (pg_last_wal_receive_lsn() - '0/0'::pg_lsn)::text AS bytes";
    const received = await Promise.all(
      this.mirrors
        .filter((mirror) => mirror.isResponsive)
        .map(async (mirror) => {
          const [row] = await mirror.query<{ bytes: string | null }>(sql);
          return { mirror, bytes: BigInt(row?.bytes ?? 0) };
        }),
    );
    const [first, ...others] = received;
    if (first === undefined) throw new LabError("wrong-state", "no mirror is running");
    return others.reduce((most, each) => (each.bytes > most.bytes ? each : most), first).mirror;
  }

  async promote(node: ClusterNode, options: WaitOptions & { readonly follow?: boolean }): Promise<number> {
    this.#requireMirror(node);
    const { follow = true, ...wait } = options;
    const start = performance.now();
    await node.ask(async (ask) => {
      // its own waiting looks only every 100 ms
      await ask("SELECT pg_promote(false)");
      await until(
        `${node.name} to be promoted`,
        async () => (await ask<{ holds: boolean }>("SELECT NOT pg_is_in_recovery() AS holds"))[0]?.holds,
        this.#wait({ everyMs: 2, ...wait }),
      );
    }, wait);
    const ms = performance.now() - start;
    node.stopFollowing();
    this.#mirrors.delete(node);
    this.#primary = node;
    if (follow) await this.#repoint(wait);
    return ms;
  }

  async rejoin(node: ClusterNode, wait: WaitOptions): Promise<void> {
    const primary = this.#primary;
    if (node === primary) throw wrongState(node, "is the primary: there is nothing to rejoin");
    this.#mirrors.delete(node);
    await node.kill();
    await node.copyFrom(primary, this.#wait(wait).signal ?? this.#signal);
    await this.#startAsMirror(node, wait);
  }

  async switchover(node: ClusterNode, wait: WaitOptions): Promise<number> {
    this.#requireMirror(node);
    const old = this.#primary;
    const start = performance.now();
    await old.stop("fast", wait);
    try {
      const { isShutDown, checkpoint } = await readControlFile(old.directory);
      if (!isShutDown) throw wrongState(old, `did not shut down in good order:\n${old.logTail()}`);
      await node.waitForReplay(after(checkpoint), wait);
    } catch (error) {
      await old.start(wait);
      throw error;
    }
    await this.promote(node, wait);
    const ms = performance.now() - start;
    // the new primary has everything that the old one ever wrote: nothing to copy
    await this.#startAsMirror(old, wait);
    return ms;
  }

  async caughtUp(wait: WaitOptions): Promise<void> {
    const position = await this.#primary.flushedPosition(wait);
    const running = [...this.#mirrors].filter((mirror) => mirror.isResponsive);
    await Promise.all(running.map((mirror) => mirror.waitForReplay(position, wait)));
  }

  async #startAsMirror(node: ClusterNode, wait: WaitOptions): Promise<void> {
    await node.markAsMirror();
    await node.follow(this.#primary);
    await node.start(wait);
    await this.#primary.waitForMirror(node, wait);
    this.#mirrors.add(node);
  }

  /** Points all mirrors to the primary. One that does not run follows when it starts, a frozen one when it thaws. */
  async #repoint(wait: WaitOptions): Promise<void> {
    const mirrors = [...this.#mirrors];
    await Promise.all(mirrors.map((mirror) => mirror.follow(this.#primary)));
    const running = mirrors.filter((mirror) => mirror.isResponsive);
    await Promise.all(running.map((mirror) => this.#primary.waitForMirror(mirror, wait)));
  }

  #requireMirror(node: ClusterNode): void {
    if (node === this.#primary) throw wrongState(node, "is the primary already");
    if (!this.#mirrors.has(node)) throw wrongState(node, "is a former primary and no mirror: rejoin it first");
    if (!node.isResponsive) throw wrongState(node, node.isFrozen ? "is frozen" : "is not running");
  }

  #wait(wait: WaitOptions): WaitOptions {
    return { ...wait, signal: wait.signal ? AbortSignal.any([this.#signal, wait.signal]) : this.#signal };
  }
}

/** The position just behind the first byte of the record at `position`: replayed up to there means the record was replayed. */
function after(position: string): string {
  const [high = "0", low = "0"] = position.split("/");
  const next = (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`) + 1n;
  return `${(next >> 32n).toString(16)}/${(next & 0xffffffffn).toString(16)}`;
}

function wrongState(node: ClusterNode, what: string): LabError {
  return new LabError("wrong-state", `${node.name} ${what}`, { node: node.name });
}
