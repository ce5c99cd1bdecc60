import type { Call } from "../call.ts";
import type { Environment } from "../clock.ts";
import type { Connection, Driver, Observation } from "../driver.ts";
import type { TopologyCell } from "../topology/cell.ts";
import type { NodeId } from "../topology/node.ts";
import { until } from "../topology/until.ts";
import { ConnectFailure } from "./connect-failure.ts";
import type { PooledConnection } from "./lease.ts";

export interface IntroductionOptions {
  /** Time for one answer. */
  readonly probeTimeoutMs: number;
  /** Has the monitor look the node's name up again and probe it at once. */
  readonly lookAgain: (node: NodeId) => void;
  readonly createCall: (timeoutMs: number, signal: AbortSignal | undefined) => Call;
  /** Of the commit ledger, where it is in use. */
  readonly ledgerTable: string | undefined;
}

/** Time for the monitor to find the server that a new connection leads to, in probes. */
const LOOKS = 3;

/**
 * Makes sure that a pooled connection leads to the server that the monitor watches: what is known of a node is known of a
 * process, and its address may lead to another one from one moment to the next, after a restart or when a name moves.
 */
export class Introduction {
  readonly #driver: Driver;
  readonly #cell: TopologyCell;
  readonly #environment: Environment;
  readonly #options: IntroductionOptions;

  constructor(driver: Driver, cell: TopologyCell, environment: Environment, options: IntroductionOptions) {
    this.#driver = driver;
    this.#cell = cell;
    this.#environment = environment;
    this.#options = options;
  }

  /**
   * For a connection that was just opened: resolves when its server is the one that is watched.
   * @throws {ConnectFailure} when there was no answer in time, or the monitor finds another server
   */
  async greet(id: NodeId, connection: Connection, signal: AbortSignal): Promise<void> {
    const { instance } = await this.#ask(id, () => this.#probe(connection), signal);
    if (this.#isWatched(id, instance)) return;
    this.#options.lookAgain(id);
    const call = this.#options.createCall(LOOKS * this.#options.probeTimeoutMs, signal);
    const isFound = await until(this.#cell, () => this.#isWatched(id, instance), call);
    if (!isFound) throw elsewhere();
  }

  /** For a connection that was idle. @throws {ConnectFailure} when it leads elsewhere now, or does not answer in time */
  async check(id: NodeId, pooled: PooledConnection): Promise<void> {
    const { instance } = await this.#ask(id, () => this.#probeClear(pooled));
    if (!this.#isWatched(id, instance)) throw elsewhere();
  }

  /** What a session has left on it (a role, a read-only default) would answer the probe for it. */
  async #probeClear(pooled: PooledConnection): Promise<Observation> {
    if (pooled.state !== undefined) {
      const statements = this.#driver.states?.change(pooled.state, undefined) ?? [];
      for (const statement of statements) await pooled.connection.run(statement);
      pooled.state = undefined;
    }
    return this.#probe(pooled.connection);
  }

  #probe(connection: Connection): Promise<Observation> {
    return this.#driver.probe(connection, this.#options.ledgerTable);
  }

  /** What a pooled connection is told counts as much as what the monitor is. */
  async #ask(id: NodeId, probe: () => Promise<Observation>, signal?: AbortSignal): Promise<Observation> {
    const sentAt = this.#environment.now();
    const observation = await this.#answer(probe, signal);
    const node = this.#cell.current.nodes.get(id);
    if (this.#isWatched(id, observation.instance) && sentAt >= (node?.observedAt ?? 0)) {
      const receivedAt = this.#environment.now();
      this.#cell.apply({ type: "observed", node: id, observation, sentAt, receivedAt });
    }
    return observation;
  }

  #isWatched(id: NodeId, instance: string): boolean {
    return this.#cell.current.nodes.get(id)?.observation?.instance === instance;
  }

  #answer(probe: () => Promise<Observation>, signal: AbortSignal | undefined): Promise<Observation> {
    return new Promise((resolve, reject) => {
      const onSilence = (): void =>
        reject(new ConnectFailure({ kind: "silent", code: undefined }, new Error("no answer in time")));
      const timer = this.#environment.schedule(this.#options.probeTimeoutMs, onSilence, true);
      const onAbort = (): void => reject(signal?.reason);
      signal?.addEventListener("abort", onAbort, { once: true });
      probe()
        .then(resolve, reject)
        .finally(() => {
          timer.cancel();
          signal?.removeEventListener("abort", onAbort);
        });
    });
  }
}

function elsewhere(): ConnectFailure {
  const cause = new Error("the connection leads to another server than the node's address does now");
  return new ConnectFailure({ kind: "gone", code: undefined }, cause);
}
