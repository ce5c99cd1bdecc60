import { inspect } from "node:util";
import { type CallOptions, checkTimeout } from "./call.ts";
import type { Timer } from "./clock.ts";
import type { Cluster } from "./cluster.ts";
import { LEDGER_TABLE } from "./config/resolve.ts";
import type { Result, Statement } from "./driver.ts";
import { AbortedError, MirrorpoolError, NoPrimaryError, OptionsError, PoolClosedError } from "./errors.ts";
import type { Counters } from "./observe/counters.ts";
import type { PoolEventName, PoolEvents } from "./observe/events.ts";
import type { NodePoolStats } from "./pool/node-pool.ts";
import { LentSession, type PoolSession } from "./pool-session.ts";
import { awaitReadable, refusedLogin } from "./session/acquire.ts";
import type { StatementOptions } from "./session/demand.ts";
import { exportToken, importToken } from "./session/freshness-token.ts";
import { Pauses } from "./session/pauses.ts";
import type { ReservedConnection, ReserveOptions } from "./session/reserve.ts";
import { factsOf, Session } from "./session/session.ts";
import { toComplete } from "./session/statement.ts";
import type { SwitchoverOptions } from "./session/switchover.ts";
import { switchover } from "./session/switchover.ts";
import type { Transaction, TransactionOptions } from "./session/transaction.ts";
import { transaction } from "./session/transaction.ts";
import { describeNodes, reportTopology, type TopologyReport } from "./topology/report.ts";
import { until } from "./topology/until.ts";

export interface StartOptions extends CallOptions {
  /** What to wait for: a primary that takes writes (default), or any node that answers reads. */
  readonly until?: "writable" | "readable";
}

/** An immutable snapshot of what the pool has counted and holds now. */
export interface PoolStats extends Readonly<Counters> {
  readonly epoch: number;
  /** Callers waiting for a usable node. */
  readonly waitingForNode: number;
  readonly nodes: Readonly<Record<string, NodePoolStats>>;
}

/** Connections to a primary and its mirrors, as one pool. Every wait ends by the call's deadline or signal. */
export interface FailoverPool extends AsyncDisposable {
  /**
   * Runs one statement: reads on a mirror or the primary, everything else on the primary.
   * @throws {CommitUnknownError} for a write whose answer was lost
   * @throws {NoPrimaryError} {@link NoNodeError} {@link SplitBrainError} {@link AcquireTimeoutError} {@link DeadlineError}
   * @throws the database library's own error for what the database itself refused
   */
  query<Row = Record<string, unknown>>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: StatementOptions,
  ): Promise<Result<Row>>;
  /**
   * BEGIN, the callback, COMMIT; ROLLBACK when the callback throws.
   * @throws {CommitUnknownError} when the answer to COMMIT was lost
   * @throws {TransactionLostError} when it certainly did not commit, after `retries`
   */
  transaction<T>(callback: (transaction: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** A session, for what needs one: SET, LISTEN, a cursor, transactions by hand. Costs nothing until its first statement. */
  connect(options?: CallOptions): Promise<PoolSession>;
  /**
   * A connection to one node, outside of the pool's bounds: for long reads (several of one snapshot, on one mirror) and for
   * replication. It is not routed, not replayed and not waited for by a pause; it is cut off when its node is lost or fenced.
   */
  reserve(options?: ReserveOptions): Promise<ReservedConnection>;
  /** Starts to watch the nodes and resolves when a primary takes writes. Optional: the first call starts as well. */
  start(options?: StartOptions): Promise<void>;
  /** The cluster as this pool sees it now. */
  topology(): TopologyReport;
  stats(): PoolStats;
  /** Returns the function that ends it. */
  on<N extends PoolEventName>(name: N, listener: (event: PoolEvents[N]) => void): () => void;
  /**
   * Holds all new work and resolves when nothing is under way any more; rejects, and goes on, when that takes too long, and when
   * `resume()` is called before. Lets a switchover end first.
   */
  pause(options?: CallOptions): Promise<void>;
  /** Ends a pause. What a switchover holds it goes on holding. */
  resume(): void;
  /** Hands the primary over without an error. See {@link SwitchoverOptions}. */
  switchover(options: SwitchoverOptions): Promise<void>;
  /**
   * Runs the callback, and all that it begins, in a context of its own, such as a request: with `consistency: "context"` its
   * reads see what it has written, and need not see what others write. As middleware: `(req, res, next) => pool.inContext(next)`.
   * @param options.freshAs a token of another process, whose writes the context sees too
   * @throws {OptionsError} for what is no token of this cluster
   */
  inContext<T>(callback: () => T, options?: { readonly freshAs?: string | undefined }): T;
  /**
   * A token that covers the last write of the present context, outside of any that of this process: for `freshAs` in another
   * process. Undefined when nothing was written.
   */
  freshnessToken(options?: CallOptions): Promise<string | undefined>;
  /**
   * The SQL that makes the commit ledger's table, for `exactlyOnce`: to be run once, by a migration or by hand.
   * @throws {OptionsError} when the driver has no ledger
   */
  ledgerSchema(): string;
  /** Lets work under way end for `timeoutMs` (default 5000), then cuts it off. Idempotent. */
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 5000;

export function createFailoverPool(cluster: Cluster): FailoverPool {
  const { context, config, environment } = cluster;
  const { cell } = context;

  const begin = (): void => {
    if (context.isClosed) throw new PoolClosedError();
    cluster.start();
  };

  const query: FailoverPool["query"] = <Row>(
    statement: string | Statement,
    values?: readonly unknown[],
    options: StatementOptions = {},
  ) => {
    try {
      begin();
      const given = toComplete(context.driver, statement, values);
      const facts = factsOf(context, given);
      if (facts.transaction !== "none" && facts.transaction !== "mixed") {
        const message = `${facts.command} needs a session: use transaction() or connect()`;
        throw new MirrorpoolError("SESSION_REQUIRED", message);
      }
      const call = context.createCall(options.timeoutMs, options.signal);
      return new Session(context).queryOnce(given, options, call, facts) as Promise<Result<Row>>;
    } catch (error) {
      return Promise.reject(error);
    }
  };

  const connect: FailoverPool["connect"] = ({ timeoutMs, signal } = {}) => {
    try {
      begin();
      checkTimeout(timeoutMs);
      if (signal?.aborted === true) throw new AbortedError(signal.reason);
      return Promise.resolve(new LentSession(context, watchForLeak(cluster)));
    } catch (error) {
      return Promise.reject(error);
    }
  };

  const pauses = new Pauses(context);

  const pool: FailoverPool = {
    query,
    connect,
    reserve: async (options = {}) => {
      begin();
      return cluster.reserved.reserve(options);
    },
    transaction: async (callback, options = {}) => {
      begin();
      return transaction(context, callback, options);
    },
    start: async (options = {}) => {
      begin();
      const call = context.createCall(options.timeoutMs ?? config.timeouts.failoverMs, options.signal);
      call.throwIfAborted();
      if (options.until === "readable") return awaitReadable(context, call);
      await until(cell, (topology) => topology.isWritable || refusedLogin(topology) !== undefined, call);
      if (cell.current.isWritable) return;
      call.throwIfAborted();
      if (context.isClosed) throw new PoolClosedError();
      const { nodes } = reportTopology(cell.current, environment.now());
      const refused = refusedLogin(cell.current);
      const why = refused === undefined ? "" : `, ${refused.message}`;
      throw new NoPrimaryError(`no primary that takes writes${why}: ${describeNodes(nodes)}`, nodes, refused);
    },
    topology: () => reportTopology(cell.current, environment.now()),
    stats: () =>
      Object.freeze({
        ...context.counters,
        epoch: cell.current.epoch,
        waitingForNode: context.room.size,
        nodes: Object.freeze(
          Object.fromEntries([...context.pools].map(([id, each]) => [id, Object.freeze(each.stats)])),
        ),
      }),
    on: (name, listener) => context.events.on(name, listener),
    pause: async (options = {}) => {
      begin();
      await pauses.begin(options);
    },
    resume: () => pauses.end(),
    switchover: async (options) => {
      begin();
      const timeoutMs = options.timeoutMs ?? config.timeouts.failoverMs;
      await switchover(context, options, context.createCall(timeoutMs, options.signal));
    },
    inContext: (callback, { freshAs } = {}) =>
      context.readYourWrites.run(callback, freshAs === undefined ? undefined : importToken(context, freshAs)),
    freshnessToken: async (options = {}) => {
      begin();
      return exportToken(context, context.createCall(options.timeoutMs, options.signal));
    },
    ledgerSchema: () => {
      const { ledger, name } = context.driver;
      if (ledger === undefined) throw new OptionsError("exactlyOnce", "a driver that has a commit ledger", name);
      return ledger.schema(config.exactlyOnce?.table ?? LEDGER_TABLE);
    },
    close: ({ timeoutMs = CLOSE_TIMEOUT_MS } = {}) => cluster.close(timeoutMs),
    [Symbol.asyncDispose]: () => cluster.close(CLOSE_TIMEOUT_MS),
  };
  // what it closes over holds passwords; what it shows does not
  Object.defineProperty(pool, inspect.custom, { value: () => `FailoverPool ${inspect(pool.topology())}` });
  return Object.freeze(pool);
}

/** Reports a session that is held for too long, with the stack of who took it. */
function watchForLeak({ config, context, environment }: Cluster): Timer | undefined {
  const { leakMs } = config.pool;
  if (leakMs === 0) return undefined;
  const { stack = "" } = new Error("the session was taken here");
  return environment.schedule(leakMs, () => context.events.emit("leak-suspected", { heldMs: leakMs, stack }), false);
}
