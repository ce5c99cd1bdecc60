import { randomBytes } from "node:crypto";
import { LabError } from "../errors.ts";
import { type Account, serverAccount } from "../platform/account.ts";
import { mountDisk } from "../platform/disk.ts";
import { makeFolder } from "../platform/files.ts";
import { openRun, type Run } from "../platform/run.ts";
import { createPostgres } from "../postgres/system.ts";
import { throwIfAborted, type WaitOptions } from "../wait.ts";
import type { DatabaseSystem } from "./engine.ts";
import type { LabNode } from "./lab-node.ts";
import { ClusterNode } from "./node.ts";
import { type ClusterOptions, type ClusterPlan, planCluster, SUPERUSER } from "./options.ts";
import { createReplication, type Replication } from "./replication.ts";

/** A primary and its mirrors, running. */
export interface LabCluster extends AsyncDisposable {
  readonly nodes: readonly LabNode[];
  /** The URLs of all nodes, in their order, for the application's role. */
  readonly urls: readonly string[];
  /** Who is primary by the lab's own record: the first node, then whoever was promoted last. */
  primary(): LabNode;
  /** Who is a mirror by the lab's own record; a former primary is not, until it rejoins. */
  mirrors(): readonly LabNode[];
  /** @throws LabError `invalid-option` when there is none of that name */
  node(name: string): LabNode;
  /** The mirror that has received most: the one to promote when the primary is lost, as every cluster manager does. */
  mostAdvancedMirror(): Promise<LabNode>;
  /**
   * Makes a mirror the primary, without asking what the old one does: that may be dead, hang, or still take writes.
   * @param options.follow whether the other mirrors are pointed to it. Default true
   * @returns the ms until it accepted writes
   */
  promote(node: LabNode | string, options?: PromoteOptions): Promise<number>;
  /** Brings a node back as a mirror of the current primary, whatever state it is in: what it has is replaced by a copy. */
  rejoin(node: LabNode | string, wait?: WaitOptions): Promise<void>;
  /**
   * A planned handover, losing nothing: stops the old primary, waits until the node has everything, promotes it, and brings the
   * old one back as a mirror. If the node does not get everything, the old primary goes on.
   * @returns the ms without a primary that accepts writes
   */
  switchover(node: LabNode | string, wait?: WaitOptions): Promise<number>;
  /** Waits until all mirrors that run have replayed what the primary has written by now. */
  caughtUp(wait?: WaitOptions): Promise<void>;
  /** Ends everything and removes every trace. Idempotent. */
  close(): Promise<void>;
}

/** How a mirror is promoted. */
export interface PromoteOptions extends WaitOptions {
  readonly follow?: boolean;
}

/**
 * Boots a cluster: about a second on an idle machine. If it fails nothing is left behind.
 * @throws LabError `invalid-option`, `not-possible-here`, `server-failed`, `timeout`, `aborted`
 */
export async function createCluster(options: ClusterOptions = {}): Promise<LabCluster> {
  const plan = planCluster(options);
  throwIfAborted("the cluster", options.signal);
  const account = serverAccount();
  const closed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, closed.signal]) : closed.signal;
  const run = openRun(plan.dataDir);
  const nodes: ClusterNode[] = [];
  const end = async () => {
    closed.abort(new LabError("aborted", "the cluster was closed"));
    try {
      await Promise.all(nodes.map((node) => node.close()));
    } finally {
      run.remove();
    }
  };
  try {
    const system = await openSystem(plan, account, run, signal);
    await bootNodes({ plan, run, account, system, signal }, nodes);
    return new RunningCluster(nodes, end);
  } catch (error) {
    await end();
    throw error;
  }
}

async function openSystem(
  plan: ClusterPlan,
  account: Account | undefined,
  run: Run,
  signal: AbortSignal,
): Promise<DatabaseSystem> {
  if (plan.server === "postgres") return createPostgres(plan, account, run.path);
  // loaded when it is wanted: a library of its own belongs to it
  const { createMysql } = await import("../mysql/system.ts");
  return createMysql(plan.server, plan, account, signal);
}

interface Boot {
  readonly plan: ClusterPlan;
  readonly run: Run;
  readonly account: Account | undefined;
  readonly system: DatabaseSystem;
  readonly signal: AbortSignal;
}

/** Boots the nodes; those in `nodes` have to be closed, also after a failure. */
async function bootNodes({ plan, run, account, system, signal }: Boot, nodes: ClusterNode[]): Promise<void> {
  const superuser = { user: SUPERUSER, password: randomBytes(12).toString("hex") };
  const shared = { run: run.path, plan, system, account, superuser, signal };
  for (let number = 1; number <= 1 + plan.mirrors; number++) {
    const port = await run.claimPort();
    const proxyPort = plan.proxies ? await run.claimPort() : undefined;
    const extraPorts: number[] = [];
    while (extraPorts.length < system.extraPorts) extraPorts.push(await run.claimPort());
    const node = new ClusterNode({ ...shared, number, port, proxyPort, extraPorts });
    nodes.push(node);
    await makeFolder(node.directory, account);
    if (plan.diskBytes !== undefined) mountDisk(node.directory, plan.diskBytes, account);
  }
  const [primary, ...mirrors] = nodes;
  if (primary) await system.boot(primary, mirrors, signal);
}

class RunningCluster implements LabCluster {
  readonly nodes: readonly ClusterNode[];
  readonly #replication: Replication;
  readonly #end: () => Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(nodes: readonly ClusterNode[], end: () => Promise<void>) {
    this.nodes = nodes;
    this.#replication = createReplication(nodes);
    this.#end = end;
  }

  get urls(): readonly string[] {
    return this.nodes.map((node) => node.url);
  }

  primary(): LabNode {
    return this.#replication.primary;
  }

  mirrors(): readonly LabNode[] {
    return this.#replication.mirrors;
  }

  node(name: string): ClusterNode {
    const node = this.nodes.find((each) => each.name === name);
    if (node) return node;
    const names = this.nodes.map((each) => each.name).join(", ");
    throw new LabError("invalid-option", `there is no node "${name}", only ${names}`);
  }

  async mostAdvancedMirror(): Promise<LabNode> {
    return this.#replication.mostAdvancedMirror();
  }

  async promote(node: LabNode | string, options: PromoteOptions = {}): Promise<number> {
    return this.#replication.promote(this.#own(node), options);
  }

  async rejoin(node: LabNode | string, wait: WaitOptions = {}): Promise<void> {
    await this.#replication.rejoin(this.#own(node), wait);
  }

  async switchover(node: LabNode | string, wait: WaitOptions = {}): Promise<number> {
    return this.#replication.switchover(this.#own(node), wait);
  }

  async caughtUp(wait: WaitOptions = {}): Promise<void> {
    await this.#replication.caughtUp(wait);
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #own(node: LabNode | string): ClusterNode {
    return this.node(typeof node === "string" ? node : node.name);
  }
}
