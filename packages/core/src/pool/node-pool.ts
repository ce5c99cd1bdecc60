import type { Pool as GenericPool } from "generic-pool";
import { createPool as createGenericPool } from "generic-pool";
import { Bag } from "../bag.ts";
import type { Call } from "../call.ts";
import type { Environment, Timer } from "../clock.ts";
import type { Connection, Fault } from "../driver.ts";
import { AbortedError, AcquireTimeoutError, type MirrorpoolError, PoolClosedError } from "../errors.ts";
import { jittered } from "../jittered.ts";
import type { NodeId } from "../topology/node.ts";
import type { Waiter } from "../waiters.ts";
import { Waiters } from "../waiters.ts";
import type { LeaseOwner, PooledConnection } from "./lease.ts";
import { Lease } from "./lease.ts";

export interface NodePoolOptions {
  readonly max: number;
  readonly idleMs: number;
  readonly lifetimeMs: number;
  readonly lifetimeJitter: number;
  readonly maxWaiting: number;
  readonly acquireMs: number;
  readonly validateAfterIdleMs: number;
}

/** What a node's pool needs from outside: how to open and check a connection, and what an error means. */
export interface ConnectionSource {
  open(signal: AbortSignal): Promise<Connection>;
  /** Rejects when the connection does not answer in time. */
  check(connection: Connection): Promise<void>;
  classify(error: unknown): Fault;
}

export interface NodePoolStats {
  readonly inUse: number;
  readonly idle: number;
  readonly waiting: number;
  readonly opened: number;
  readonly closed: number;
  readonly failed: number;
}

/** A connection could not be had: nothing was sent. Not for applications: the session decides what to do about it. */
export class ConnectFailure extends Error {
  override readonly name = "ConnectFailure";
  readonly fault: Fault;
  constructor(fault: Fault, cause: unknown) {
    super("no connection", { cause });
    this.fault = fault;
  }
}

/** What `create` resolves to when it failed: generic-pool would call a create that rejects again without end. */
interface FailedOpening {
  readonly error: unknown;
}
type Opened = PooledConnection | FailedOpening;

const isFailed = (opened: Opened): opened is FailedOpening => "error" in opened;

/** `idleSince` of a connection that somebody holds. */
const ON_LOAN = Number.POSITIVE_INFINITY;

const FIRST_BACKOFF_MS = 20;
const MAX_BACKOFF_MS = 1000;

/**
 * The connections to one node, on generic-pool. Waiting is ours (a pending acquire of generic-pool cannot be cancelled):
 * it is asked only for what it can give at once or may open now, and whoever waits longest gets what comes.
 */
export class NodePool implements LeaseOwner {
  readonly node: NodeId;
  readonly #options: NodePoolOptions;
  readonly #source: ConnectionSource;
  readonly #environment: Environment;
  readonly #pool: GenericPool<Opened>;
  readonly #waiters: Waiters<Lease>;
  readonly #connections = new Set<PooledConnection>();
  readonly #leases = new Bag<Lease>();
  /**
   * Idle, most recently used last, and still on loan from generic-pool: lent again from here, which costs a fraction of the
   * way through it. Empty while somebody waits.
   */
  readonly #atHand: PooledConnection[] = [];
  /** Aborted, and replaced, when the node is cut: an opening that is under way would lead to the lost server. */
  #opening = new AbortController();
  /** Acquires of generic-pool that are under way, to be matched with waiters as they come. */
  #expected = 0;
  #failures = 0;
  #openAfter = 0;
  #lastFailure: ConnectFailure | undefined;
  #retry: Timer | undefined;
  #isTending = false;
  #isClosed = false;
  #opened = 0;
  #closed = 0;
  #failed = 0;

  constructor(node: NodeId, options: NodePoolOptions, source: ConnectionSource, environment: Environment) {
    this.node = node;
    this.#options = options;
    this.#source = source;
    this.#environment = environment;
    this.#waiters = new Waiters(`connections to ${node}`, options.maxWaiting);
    this.#pool = createGenericPool<Opened>(
      { create: () => this.#open(), destroy: async (opened) => this.#forget(opened) },
      // last in, first out: what is not needed grows idle and is closed
      { max: options.max, min: 0, fifo: false, autostart: false },
    );
  }

  get stats(): NodePoolStats {
    return {
      inUse: this.#leases.size,
      idle: this.#idle,
      waiting: this.#waiters.size,
      opened: this.#opened,
      closed: this.#closed,
      failed: this.#failed,
    };
  }

  /** Leases now and waiting for one: what balancing goes by. */
  get busy(): number {
    return this.#leases.size + this.#waiters.size;
  }

  get #idle(): number {
    return this.#atHand.length + this.#pool.available;
  }

  /**
   * Lends a connection; waits in line for one under the call's deadline and `acquireMs`.
   * @throws {ConnectFailure} when none can be opened: nothing was sent
   */
  acquire(call: Call): Promise<Lease> {
    if (this.#isClosed) return Promise.reject(new PoolClosedError());
    const atHand = this.#atHand.pop();
    if (atHand !== undefined) return Promise.resolve(this.#admit(this.#lendIdle(atHand), call));
    if (this.#waiters.size > 0 || this.#pool.available === 0) {
      return this.#wait(call).then((lease) => this.#admit(lease, call));
    }
    return this.#pool.acquire().then((opened) => {
      if (!isFailed(opened)) return this.#admit(this.#lendIdle(opened), call);
      this.#drop(opened);
      return this.acquire(call);
    });
  }

  /** The lease at once where its connection is sure to live; else after a look, or another one. */
  #admit(lease: Lease, call: Call): Lease | Promise<Lease> {
    const isSure = lease.connection.status === "idle" && lease.idledMs <= this.#options.validateAfterIdleMs;
    return isSure ? lease : this.#admitAlive(lease, call);
  }

  async #admitAlive(lease: Lease, call: Call): Promise<Lease> {
    if (lease.connection.status === "idle" && (await this.#isAlive(lease, call))) return lease;
    lease.destroy();
    return this.acquire(call);
  }

  /** @throws {MirrorpoolError} at the call's end: the answer may be long in coming */
  #isAlive(lease: Lease, call: Call): Promise<boolean> {
    return call.wait<boolean>(
      (resolve) =>
        void this.#source.check(lease.connection).then(
          () => resolve(lease.connection.status === "idle"),
          () => resolve(false), // the caller replaces it; the monitor finds out whether the node has a trouble
        ),
      (cause) => {
        lease.destroy();
        return this.#tooLate(cause, call);
      },
    );
  }

  #wait(call: Call): Promise<Lease> {
    if (this.#mustFailFast()) return Promise.reject(this.#lastFailure);
    let waiter: Waiter<Lease> | undefined;
    return call.wait<Lease>(
      (resolve, reject) => {
        waiter = { resolve, reject };
        this.#waiters.join(waiter);
        this.#pump();
      },
      (cause) => {
        if (waiter !== undefined) this.#waiters.leave(waiter);
        return this.#tooLate(cause, call);
      },
      this.#options.acquireMs,
    );
  }

  #tooLate(cause: "deadline" | "limit" | "aborted", call: Call): MirrorpoolError {
    if (cause === "aborted") return new AbortedError(call.signal?.reason);
    const waitedMs = this.#environment.now() - call.startedAt;
    const { cause: failure } = this.#lastFailure ?? {};
    return new AcquireTimeoutError(this.node, waitedMs, this.#leases.size, this.#waiters.size, failure);
  }

  /** Right after a failed opening others fail the same way at once, unless a connection in use may come free. */
  #mustFailFast(): boolean {
    return this.#lastFailure !== undefined && this.#openAfter > this.#environment.now() && !this.#maySit();
  }

  /** Whether waiting makes sense although nothing can be opened: others hold connections and will give them back. */
  #maySit(): boolean {
    return this.#lastFailure?.fault.kind === "overloaded" && this.#leases.size > 0;
  }

  /** Asks generic-pool for as much as there are waiters, and it can give at once or may open. */
  #pump(): void {
    while (this.#expected < this.#waiters.size && !this.#isClosed) {
      const canOpen = this.#pool.spareResourceCapacity > 0 && this.#openAfter <= this.#environment.now();
      if (this.#pool.available === 0 && !canOpen) {
        this.#retryLater();
        return;
      }
      this.#expected += 1;
      this.#pool.acquire().then(
        (opened) => this.#supply(opened),
        (error) => {
          this.#expected -= 1;
          this.#waiters.shift()?.reject(error);
        },
      );
    }
  }

  #retryLater(): void {
    const delay = this.#openAfter - this.#environment.now();
    if (delay <= 0 || this.#retry !== undefined) return;
    this.#retry = this.#environment.schedule(
      delay,
      () => {
        this.#retry = undefined;
        this.#pump();
      },
      false,
    );
  }

  #supply(opened: Opened): void {
    this.#expected -= 1;
    if (isFailed(opened)) {
      this.#drop(opened);
      if (!this.#maySit()) this.#waiters.rejectAll(() => this.#lastFailure);
      this.#pump();
      return;
    }
    const waiter = this.#waiters.shift();
    if (waiter === undefined) {
      void this.#pool.release(opened);
      return;
    }
    waiter.resolve(this.#lendIdle(opened));
  }

  /** An opening that failed after its caller had got another connection is left among the idle ones. */
  #drop(failed: FailedOpening): void {
    void this.#pool.destroy(failed);
  }

  /** One that nobody held, and that does not keep the process alive. */
  #lendIdle(pooled: PooledConnection): Lease {
    pooled.connection.setRef(true);
    return this.#lend(pooled, this.#environment.now());
  }

  #lend(pooled: PooledConnection, now: number): Lease {
    const lease = new Lease(this, pooled, now);
    pooled.idleSince = ON_LOAN;
    this.#leases.add(lease);
    return lease;
  }

  takeBack(lease: Lease): void {
    const { pooled } = lease;
    this.#leases.delete(lease);
    const now = this.#environment.now();
    if (pooled.connection.status === "idle" && now < pooled.expiresAt && !this.#isClosed) {
      pooled.idleSince = now;
      const waiter = this.#waiters.shift();
      if (waiter !== undefined) {
        waiter.resolve(this.#lend(pooled, now));
        return;
      }
      pooled.connection.setRef(false);
      this.#atHand.push(pooled);
    } else {
      void this.#pool.destroy(pooled);
      this.#pump();
    }
  }

  async #open(): Promise<Opened> {
    const { signal } = this.#opening;
    try {
      const connection = await this.#source.open(signal);
      if (signal.aborted) {
        connection.destroy();
        throw signal.reason;
      }
      this.#opened += 1;
      this.#failures = 0;
      this.#openAfter = 0;
      this.#lastFailure = undefined;
      const now = this.#environment.now();
      const lifetime = jittered(this.#options.lifetimeMs, this.#options.lifetimeJitter, this.#environment.random());
      const pooled: PooledConnection = { connection, openedAt: now, expiresAt: now + lifetime, idleSince: now };
      this.#connections.add(pooled);
      connection.setRef(false);
      connection.onClose(() => this.#onConnectionClosed());
      return pooled;
    } catch (error) {
      this.#failed += 1;
      const backoff = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures);
      this.#failures += 1;
      this.#openAfter = this.#environment.now() + jittered(backoff, 0.5, this.#environment.random());
      this.#lastFailure = new ConnectFailure(this.#source.classify(error), error);
      return { error };
    }
  }

  #forget(opened: Opened): void {
    if (isFailed(opened) || !this.#connections.delete(opened)) return;
    this.#closed += 1;
    if (opened.connection.status === "idle") void opened.connection.close();
    else opened.connection.destroy();
  }

  #onConnectionClosed(): void {
    if (!this.#isClosed) void this.tend(0);
  }

  /** Closes idle connections that are dead, too old or idle for too long, and opens some until there are `atLeast`. */
  async tend(atLeast: number): Promise<void> {
    if (this.#isTending || this.#isClosed) return;
    const missing = Math.min(atLeast, this.#options.max) - this.#pool.size;
    const canOpen = this.#openAfter <= this.#environment.now();
    if ((missing <= 0 || !canOpen) && !this.#hasOutlived(atLeast)) return;
    this.#isTending = true;
    try {
      for (const pooled of this.#atHand.splice(0)) void this.#pool.release(pooled);
      // generic-pool gives no idle connection to look at but on loan, and opens one only for who asks when none is idle
      const idle = Array.from({ length: this.#pool.available }, () => this.#pool.acquire());
      const opening = Array.from({ length: canOpen ? Math.max(0, missing) : 0 }, () => this.#pool.acquire());
      // most recently used first; given back the other way round they keep their order
      for (const opened of (await Promise.all(idle)).reverse()) this.#keepOrClose(opened, atLeast);
      for (const opened of await Promise.all(opening)) this.#keepOrClose(opened, atLeast);
    } finally {
      this.#isTending = false;
      this.#pump();
    }
  }

  #keepOrClose(opened: Opened, atLeast: number): void {
    const isKept = !isFailed(opened) && !this.#isClosed && !this.#isOutlived(opened, this.#pool.size > atLeast);
    if (isKept) void this.#pool.release(opened);
    else void this.#pool.destroy(opened);
  }

  #hasOutlived(atLeast: number): boolean {
    if (this.#idle === 0) return false;
    if (this.#failures > 0) return true; // one may lie among them
    const mayShrink = this.#pool.size > atLeast;
    for (const pooled of this.#connections) if (this.#isOutlived(pooled, mayShrink)) return true;
    return false;
  }

  #isOutlived(pooled: PooledConnection, mayShrink: boolean): boolean {
    if (pooled.idleSince === ON_LOAN) return false;
    const now = this.#environment.now();
    if (pooled.connection.status === "closed" || now >= pooled.expiresAt) return true;
    return mayShrink && now - pooled.idleSince >= this.#options.idleMs;
  }

  /** Cuts everything at once: running statements reject, waiting callers are sent back to find another node. */
  cut(fault: Fault): void {
    const failure = new ConnectFailure(fault, new Error(`the node is ${fault.kind}`));
    this.#waiters.rejectAll(() => failure);
    this.#opening.abort(failure);
    this.#opening = new AbortController();
    for (const { connection } of this.#connections) connection.destroy();
  }

  /** The node is back: what failed before says nothing any more. */
  forgive(): void {
    this.#failures = 0;
    this.#openAfter = 0;
    this.#lastFailure = undefined;
  }

  /** Ends at once what is idle, and by cutting it what is still on loan. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#opening.abort(new PoolClosedError());
    this.#waiters.rejectAll(() => new PoolClosedError());
    for (const lease of [...this.#leases]) lease.destroy();
    await Promise.all([...this.#connections].map(({ connection }) => connection.close()));
    this.#connections.clear();
    this.#atHand.length = 0;
  }
}
