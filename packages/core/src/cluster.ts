import { Call, checkTimeout } from "./call.ts";
import type { Environment, Timer } from "./clock.ts";
import { systemEnvironment } from "./clock.ts";
import type { PoolOptions } from "./config/options.ts";
import type { Config, NodeConfig } from "./config/resolve.ts";
import { resolveConfig } from "./config/resolve.ts";
import { Connector } from "./connector.ts";
import { Deadlines } from "./deadlines.ts";
import type { Connection } from "./driver.ts";
import { PoolClosedError } from "./errors.ts";
import { elect } from "./failover/elect.ts";
import { WaitingRoom } from "./failover/waiting-room.ts";
import { createFailoverPool, type FailoverPool } from "./failover-pool.ts";
import { type CallSignal, listened } from "./interruption.ts";
import { jittered } from "./jittered.ts";
import { Monitor } from "./monitor/monitor.ts";
import { changes } from "./observe/changes.ts";
import { createCounters } from "./observe/counters.ts";
import { Events } from "./observe/events.ts";
import { Cancels } from "./pool/cancels.ts";
import { Introduction } from "./pool/introduction.ts";
import { NodePool } from "./pool/node-pool.ts";
import { Hedging } from "./routing/hedging.ts";
import { Acknowledged } from "./session/acknowledged.ts";
import type { SessionContext } from "./session/context.ts";
import { drain } from "./session/drain.ts";
import { pruneLedger } from "./session/ledger-upkeep.ts";
import { reportLosses } from "./session/loss-report.ts";
import { Misrouted } from "./session/misrouted.ts";
import { askPrimary } from "./session/on-primary.ts";
import { Precedence } from "./session/precedence.ts";
import { ReadYourWrites } from "./session/read-your-writes.ts";
import { Reserved } from "./session/reserve.ts";
import { reportStrays, StrayCommits } from "./session/stray-commits.ts";
import { isRefusal } from "./session/transient.ts";
import { Work } from "./session/work.ts";
import { WriteLog } from "./session/write-log.ts";
import { TopologyCell } from "./topology/cell.ts";
import { mirroredUntil } from "./topology/lag.ts";
import type { NodeId, NodeState } from "./topology/node.ts";
import { initialTopology, type Topology } from "./topology/topology.ts";

/** How often idle connections are looked through, and those kept ready are opened. */
const TEND_INTERVAL_MS = 1000;

/** Tokens of acknowledged commits that are kept to ask for after a failover. */
const MAX_ACKNOWLEDGED = 10_000;
/** How often old tokens are removed from the ledger. */
const PRUNE_INTERVAL_MS = 60_000;

/**
 * Makes a pool. Nothing is connected yet: the first call, or `start()`, begins to watch the nodes.
 * @param environment time and chance; another one is for simulations
 * @throws {OptionsError} with path, rule and value
 */
export function createPool(options: PoolOptions, environment: Environment = systemEnvironment): FailoverPool {
  return createFailoverPool(new Cluster(resolveConfig(options), environment));
}

/** Wires the parts; the only place that knows them all. */
export class Cluster {
  readonly context: SessionContext;
  readonly config: Config;
  readonly environment: Environment;
  readonly reserved: Reserved;
  readonly #monitor: Monitor;
  readonly #connector: Connector;
  readonly #introduction: Introduction;
  #tending: Timer | undefined;
  #pruneAfter = Number.NEGATIVE_INFINITY;
  #hasWarned = false;
  #mustNoteReign = false;
  #isStarted = false;
  #closing: Promise<void> | undefined;
  readonly #cutOff = new AbortController();
  /** Superseded nodes that are being asked for strays. */
  readonly #asked = new Map<NodeId, Promise<void>>();

  constructor(config: Config, environment: Environment) {
    this.config = config;
    this.environment = environment;
    this.#connector = new Connector(config, environment);
    const { driver } = config;
    const cell = new TopologyCell(initialTopology(config.nodes.map((node) => node.id)), {
      elect,
      positions: driver.positions,
    });
    const deadlines = new Deadlines(environment);
    const createCall = (timeoutMs: number | undefined, signal: CallSignal | undefined): Call =>
      new Call(environment, deadlines, checkTimeout(timeoutMs) ?? config.timeouts.statementMs, listened(signal));
    this.#introduction = new Introduction(driver, cell, environment, {
      probeTimeoutMs: config.monitor.probeTimeoutMs,
      lookAgain: (id) => this.#monitor.lookAgain(id),
      createCall,
      ledgerTable: config.exactlyOnce?.table,
    });
    const pools = new Map(config.nodes.map((node) => [node.id, this.#createNodePool(node)]));
    cell.subscribe((after, before) => this.#follow(after, before));
    this.context = {
      config,
      driver,
      environment,
      deadlines,
      cell,
      pools,
      room: new WaitingRoom(cell, environment, config.failover),
      hedging: config.routing.hedge > 0 && config.nodes.length > 1 ? new Hedging(config.routing.hedge) : undefined,
      events: new Events(),
      counters: createCounters(),
      work: new Work(),
      cancels: new Cancels(environment),
      precedence: new Precedence(environment),
      misrouted: new Misrouted(),
      acknowledged: new Acknowledged(MAX_ACKNOWLEDGED),
      strays: new StrayCommits(),
      writes: new WriteLog(() => mirroredUntil(cell.current)),
      ledger: config.exactlyOnce && { table: config.exactlyOnce.table, statements: config.exactlyOnce.statements },
      suspect: () => this.#monitor.suspect(),
      readYourWrites: new ReadYourWrites(),
      look: (node) => this.#monitor.look(node),
      isClosed: false,
      createCall,
    };
    this.reserved = new Reserved(this.context, (node, parameters, signal) => this.#open(node, signal, parameters));
    const byId = new Map(config.nodes.map((node) => [node.id, node]));
    this.#monitor = new Monitor(
      driver,
      cell,
      environment,
      (id, signal) => this.#connector.open(byId.get(id) as NodeConfig, signal), // the monitor's ids are the configuration's
      {
        ...config.monitor,
        patientIntervalMs: Math.max(TEND_INTERVAL_MS, config.monitor.intervalMs),
        ledgerTable: config.exactlyOnce?.table,
      },
    );
  }

  start(): void {
    if (this.#isStarted || this.context.isClosed) return;
    this.#isStarted = true;
    this.#monitor.start();
    this.#scheduleTending();
  }

  /** Refuses new work, lets what is under way end for `timeoutMs`, then cuts it off. Leaves no socket, timer or process. */
  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    const { context } = this;
    context.isClosed = true;
    context.room.close(() => new PoolClosedError());
    const call = context.createCall(timeoutMs, undefined);
    await drain(context.work, "all", call);
    this.#tending?.cancel();
    const pools = [...context.pools.values()].map((pool) => pool.close()); // which asks for some cancels
    await Promise.all([this.#monitor.close(), context.cancels.close(), ...pools]);
    this.#cutOff.abort(new PoolClosedError());
    this.reserved.close();
    context.deadlines.close();
    await Promise.all(this.#asked.values());
  }

  /** A connection to the very server that the monitor watches under this name. */
  async #open(
    node: NodeConfig,
    signal: AbortSignal,
    parameters?: Readonly<Record<string, string>>,
  ): Promise<Connection> {
    const connection = await this.#connector.open(node, signal, undefined, parameters);
    try {
      await this.#introduction.greet(node.id, connection, signal);
      return connection;
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  #createNodePool(node: NodeConfig): NodePool {
    const { driver, pool, timeouts } = this.config;
    return new NodePool(
      node.id,
      { ...pool, weight: node.weight, acquireMs: timeouts.acquireMs },
      {
        open: (signal) => this.#open(node, signal),
        check: (pooled) => this.#introduction.check(node.id, pooled),
        classify: (error) => driver.classify(error),
        cancel: (connection) => void this.context.cancels.ask(connection),
      },
      this.environment,
    );
  }

  /** What a change of the topology means for the pools: cuts what must not go on, and tells the application. */
  #follow(after: Topology, before: Topology): void {
    const { context } = this;
    for (const node of after.nodes.values()) {
      const was = before.nodes.get(node.id);
      if (was === node || was === undefined) continue;
      const pool = context.pools.get(node.id);
      if (node.answeredAt !== was.answeredAt) pool?.multiplexer.distance.note(node.answeredAt - node.observedAt);
      if (mustCut(was, node)) {
        pool?.cut({ kind: "gone", code: node.fault?.code });
        this.reserved.cut(node.id);
      }
      if (node.status === "up" && was.status !== "up") {
        pool?.forgive();
        this.#tendPool(node);
      }
    }
    // the others are asked fast from now on, and not only after their usual rest
    if (before.primary !== undefined && after.primary === undefined) this.#monitor.suspect();
    const isFailover = after.epoch > before.epoch && before.epoch > 0;
    if (isFailover) context.counters.failovers += 1;
    if (after.hold !== before.hold) context.events.emit(after.hold === "none" ? "resumed" : "paused", {});
    for (const [name, event] of changes(before, after, before.hold === "writes"))
      context.events.emit(name, event as never);
    if (isFailover) void reportLosses(context, before, after);
    if (after.primary !== undefined && after.primary !== before.primary) {
      this.#mustNoteReign = true;
      this.#noteReign();
    }
  }

  /** For processes that start later. Until it succeeds they know no more than without the ledger. */
  #noteReign(): void {
    const { ledger, cell } = this.context;
    if (!this.#mustNoteReign || ledger?.statements.noteReign === undefined || !cell.current.isWritable) return;
    this.#mustNoteReign = false;
    const call = this.context.createCall(undefined, undefined);
    askPrimary(this.context, ledger.statements.noteReign(ledger.table), call).catch(() => {
      this.#mustNoteReign = true; // the next round tries again: the table may be made meanwhile
    });
  }

  #scheduleTending(): void {
    this.#tending = this.environment.schedule(
      TEND_INTERVAL_MS,
      () => {
        for (const node of this.context.cell.current.nodes.values()) {
          this.#tendPool(node);
          if (node.status === "up" && node.fence === "superseded") this.#askForStrays(node.id);
        }
        this.#noteReign();
        this.#pruneLedger();
        this.#scheduleTending();
      },
      false,
    );
  }

  #askForStrays(id: NodeId): void {
    const { context, config } = this;
    const node = config.nodes.find((each) => each.id === id);
    if (context.ledger === undefined || node === undefined || this.#asked.has(id)) return;
    const asking = reportStrays(context, context.ledger, id, () => this.#open(node, this.#cutOff.signal))
      .catch(() => {}) // the next round asks again
      .finally(() => this.#asked.delete(id));
    this.#asked.set(id, asking);
  }

  #pruneLedger(): void {
    const { exactlyOnce } = this.config;
    const { ledger } = this.context;
    const now = this.environment.now();
    if (
      exactlyOnce === undefined ||
      ledger === undefined ||
      !this.context.cell.current.isWritable ||
      now < this.#pruneAfter
    )
      return;
    // at the first round not at once, and never in step with the other processes
    const isFirst = this.#pruneAfter === Number.NEGATIVE_INFINITY;
    this.#pruneAfter = now + jittered(PRUNE_INTERVAL_MS, 0.5, this.environment.random());
    if (isFirst) return;
    const call = this.context.createCall(undefined, undefined);
    pruneLedger(this.context, ledger, exactlyOnce.retentionMs, call).catch((error) => this.#warnOfPruning(error));
  }

  /** The next round tries again, which mends a lost connection and no missing permission: told once. */
  #warnOfPruning(error: unknown): void {
    if (!isRefusal(this.config.driver, error) || this.context.isClosed || this.#hasWarned) return;
    this.#hasWarned = true;
    const why = error instanceof Error ? error.message : String(error);
    process.emitWarning(
      `old tokens cannot be removed from the commit ledger, which grows: ${why}`,
      "MirrorpoolWarning",
    );
  }

  #tendPool(node: NodeState): void {
    const { min, warm } = this.config.pool;
    const isUsed = node.status === "up" && node.fence === undefined;
    const wanted = node.observation?.role === "mirror" ? Math.max(min, warm) : min;
    void this.context.pools.get(node.id)?.tend(isUsed ? wanted : 0);
  }
}

/** A node that is lost, fenced, or another process than before: nothing that is under way there may go on. */
function mustCut(was: NodeState, is: NodeState): boolean {
  if (is.status === "down" && was.status === "up") return true;
  if (is.fence !== undefined && was.fence === undefined) return true;
  const before = was.observation?.instance;
  return before !== undefined && is.observation?.instance !== before;
}
