import type { Environment, Timer } from "../clock.ts";
import type { Connection, Driver } from "../driver.ts";
import type { TopologyCell } from "../topology/cell.ts";
import type { NodeId } from "../topology/node.ts";
import type { DetectorState, ProbeOutcome } from "./detector.ts";
import { freshDetector, judge } from "./detector.ts";
import { Probe, type ProbeOptions } from "./probe.ts";
import type { ScheduleOptions } from "./schedule.ts";
import { probeDelay } from "./schedule.ts";

export interface MonitorOptions extends ScheduleOptions, ProbeOptions {
  readonly misses: number;
}

/**
 * While there is no primary a probe connection is renewed this often: a name may have moved to another server, and the
 * connection that still holds would never tell.
 */
const RENEW_WITHOUT_PRIMARY_MS = 1000;

/** Watches one node: probe, judge, tell the topology, wait. Ends with its signal and leaves nothing behind. */
class NodeWatch {
  readonly #id: NodeId;
  readonly #probe: Probe;
  readonly #cell: TopologyCell;
  readonly #environment: Environment;
  readonly #options: MonitorOptions;
  readonly #closing = new AbortController();
  #state: DetectorState = freshDetector;
  #wake: (() => void) | undefined;
  #isUrgent = false;
  #isStale = false;
  #primaryLostAt: number | undefined;
  #running: Promise<void> | undefined;

  constructor(
    id: NodeId,
    driver: Driver,
    connect: (signal: AbortSignal) => Promise<Connection>,
    cell: TopologyCell,
    environment: Environment,
    options: MonitorOptions,
  ) {
    this.#id = id;
    this.#probe = new Probe(driver, environment, connect, options, () => this.hurry());
    this.#cell = cell;
    this.#environment = environment;
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#watch();
  }

  /** Probes at once, or once more shortly after the probe that is under way. */
  hurry(): void {
    if (this.#isUrgent) return;
    this.#isUrgent = true;
    this.#wake?.();
  }

  /** Probes at once by a new connection: the address leads to another server than the present one. */
  lookAgain(): void {
    this.#isStale = true;
    this.hurry();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake?.();
    this.#probe.renew();
    await this.#running;
    this.#probe.renew();
  }

  async #watch(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      this.#isUrgent = false;
      if (this.#isStale) this.#probe.renew();
      this.#isStale = false;
      const outcome = await this.#probe.ask(signal);
      if (signal.aborted) return;
      const { state, verdict, next } = judge(this.#state, outcome, this.#options.misses);
      this.#state = state;
      this.#tell(outcome, verdict);
      const withoutPrimaryMs = this.#noticePrimary();
      const delay = probeDelay(
        this.#isUrgent ? "now" : next,
        withoutPrimaryMs,
        this.#options,
        this.#environment.random(),
      );
      await this.#rest(delay);
    }
  }

  /** How long there has been no primary. Until there is one, the probe looks its server's name up again and again. */
  #noticePrimary(): number {
    const now = this.#environment.now();
    if (this.#cell.current.primary !== undefined) {
      this.#primaryLostAt = undefined;
      return 0;
    }
    this.#primaryLostAt ??= now - 1;
    const { openedAt } = this.#probe;
    if (openedAt !== undefined && now - openedAt >= RENEW_WITHOUT_PRIMARY_MS) this.#probe.renew();
    return now - this.#primaryLostAt;
  }

  #tell(outcome: ProbeOutcome, verdict: "up" | "down" | "undecided"): void {
    if (outcome.type === "answered") {
      const { observation, sentAt, receivedAt } = outcome;
      this.#cell.apply({ type: "observed", node: this.#id, observation, sentAt, receivedAt });
    } else if (outcome.type === "failed") {
      const type = verdict === "down" ? "lost" : "troubled";
      // a doubt that is settled in a moment is no news, except before the first verdict and where it will stay
      if (type === "lost" || outcome.fault.kind === "configuration" || outcome.fault.kind === "overloaded") {
        this.#cell.apply({ type, node: this.#id, fault: outcome.fault });
      }
    }
  }

  async #rest(delayMs: number): Promise<void> {
    if (this.#closing.signal.aborted) return;
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = this.#environment.schedule(delayMs, resolve, false);
    });
    timer?.cancel();
    this.#wake = undefined;
  }
}

/** Watches all nodes, each by a connection and a loop of its own. */
export class Monitor {
  readonly #watches: ReadonlyMap<NodeId, NodeWatch>;

  constructor(
    driver: Driver,
    cell: TopologyCell,
    environment: Environment,
    connect: (node: NodeId, signal: AbortSignal) => Promise<Connection>,
    options: MonitorOptions,
  ) {
    this.#watches = new Map(
      [...cell.current.nodes.keys()].map((id) => [
        id,
        new NodeWatch(id, driver, (signal) => connect(id, signal), cell, environment, options),
      ]),
    );
  }

  start(): void {
    for (const watch of this.#watches.values()) watch.start();
  }

  /** Something went wrong somewhere: probes all nodes at once. Costs nothing while such a probe is under way. */
  suspect(): void {
    for (const watch of this.#watches.values()) watch.hurry();
  }

  /** A new connection to the node leads to another server than the one that is watched. */
  lookAgain(node: NodeId): void {
    this.#watches.get(node)?.lookAgain();
  }

  /** Probes one node at once. */
  look(id: NodeId): void {
    this.#watches.get(id)?.hurry();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#watches.values()].map((watch) => watch.close()));
  }
}
